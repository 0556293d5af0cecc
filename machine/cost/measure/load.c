/*
 * What measure.sh times: load DIR WHAT N [NAME [SIZE]] does N operations and
 * prints the CPU time of each, ns. SPDX-License-Identifier: GPL-2.0-only
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static char buf[1 << 20];
static _Atomic long turn __attribute__((aligned(128)));
static long n;

static double now(clockid_t c) {
	struct timespec t;
	clock_gettime(c, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void need(int ok, const char *what) {
	if (!ok) {
		perror(what);
		exit(1);
	}
}

static void pin(int cpu) {
	cpu_set_t s;
	CPU_ZERO(&s);
	CPU_SET(cpu, &s);
	need(!sched_setaffinity(0, sizeof s, &s), "sched_setaffinity");
}

static void *second(void *arg) {
	pin(1);
	for (long i = 0; i < n; i++) {
		while (atomic_load_explicit(&turn, memory_order_acquire) != 2 * i + 1)
			;
		atomic_store_explicit(&turn, 2 * i + 2, memory_order_release);
	}
	return arg;
}

/* A cache line goes to the other CPU and back, n times. */
static double handover(void) {
	pthread_t t;
	pin(0);
	need(!pthread_create(&t, 0, second, 0), "pthread_create");
	double t0 = now(CLOCK_MONOTONIC);
	for (long i = 0; i < n; i++) {
		atomic_store_explicit(&turn, 2 * i + 1, memory_order_release);
		while (atomic_load_explicit(&turn, memory_order_acquire) != 2 * i + 2)
			;
	}
	return (now(CLOCK_MONOTONIC) - t0) / n / 2;
}

/* A byte goes to another process on the same CPU and back; then through a pipe
 * to oneself, which is the same without the switches. */
static double switches(void) {
	int a[2], b[2];
	char x = 0;
	pin(1);
	need(!pipe(a) && !pipe(b), "pipe");
	if (!fork())
		for (;;) {
			if (read(a[0], &x, 1) != 1 || write(b[1], &x, 1) != 1)
				_exit(0);
			if (x)
				_exit(0);
		}
	double t0 = now(CLOCK_MONOTONIC);
	for (long i = 0; i < n; i++)
		need(write(a[1], &x, 1) == 1 && read(b[0], &x, 1) == 1, "pipe");
	double t1 = now(CLOCK_MONOTONIC);
	for (long i = 0; i < 2 * n; i++)
		need(write(b[1], &x, 1) == 1 && read(b[0], &x, 1) == 1, "pipe");
	double t2 = now(CLOCK_MONOTONIC);
	x = 1;
	need(write(a[1], &x, 1) == 1, "pipe");
	return ((t1 - t0) - (t2 - t1)) / n / 2;
}

int main(int argc, char **argv) {
	if (argc < 4)
		return 2;
	const char *dir = argv[1], *what = argv[2], *name = argc > 4 ? argv[4] : "file";
	long size = argc > 5 ? atol(argv[5]) : 4096;
	char path[300];
	n = atol(argv[3]);
	if (!strcmp(what, "handover"))
		return printf("%.0f\n", handover()) < 0;
	if (!strcmp(what, "switch"))
		return printf("%.0f\n", switches()) < 0;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int f = open(path, O_CREAT | O_RDWR, 0644);
	need(f >= 0, path);
	if (!strcmp(what, "create"))
		for (long d = 0; d <= n / 1000; d++) {
			snprintf(path, sizeof path, "%s/d%ld", dir, d);
			need(!mkdir(path, 0755), path);
		}
	double t0 = now(CLOCK_THREAD_CPUTIME_ID);
	for (long i = 0; i < n; i++) {
		if (!strcmp(what, "syscall"))
			syscall(SYS_getppid);
		else if (!strcmp(what, "create")) {
			snprintf(path, sizeof path, "%s/d%ld/f%ld", dir, i / 1000, i);
			int g = open(path, O_CREAT | O_RDWR, 0644);
			need(g >= 0, path);
			close(g);
		} else if (!strcmp(what, "fchmod"))
			need(!fchmod(f, i & 1 ? 0600 : 0644), "fchmod");
		else if (!strcmp(what, "sparse"))
			need(!fallocate(f, FALLOC_FL_KEEP_SIZE, i * (size + 65536), size), "fallocate");
		else if (!strcmp(what, "fill")) { /* all but the crumbs */
			if (fallocate(f, 0, i << 27, 1 << 27)) {
				for (long s = 1 << 26; s >= 4096; s /= 2)
					while (!fallocate(f, 0, ++i << 27, s))
						;
				break;
			}
		} else if (!strcmp(what, "punch"))
			need(!fallocate(f, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, i * 2 * 4096, 4096), "punch");
		else if (!strcmp(what, "write"))
			need(pwrite(f, buf, size, i * size) == size, "pwrite");
		else if (!strcmp(what, "fsync"))
			need(!fsync(f), "fsync");
		else if (!strcmp(what, "append"))
			need(pwrite(f, buf, size, i * size) == size && !fsync(f), "fsync");
		else
			return 2;
	}
	printf("%.0f\n", (now(CLOCK_THREAD_CPUTIME_ID) - t0) / n);
	return 0;
}
