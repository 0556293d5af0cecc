#!/bin/bash
# Starts a Slurm cluster of N nodes of one CPU each on this machine, for tests: its
# state under S, its ports from P on, on loopback; no systemd, no cgroups, no
# database. Needs root and the packages slurm-wlm and munge.
#
#   cluster.sh start S P N     afterwards: export SLURM_CONF=S/slurm.conf
#   cluster.sh stop S
set -eu

pids() { cat "$S"/run/*.pid "$S"/munged-run/munged.pid 2>/dev/null || true; }

start() {
	P=$1 N=$2 H=$(hostname -s)
	mkdir -p "$S/state" "$S/log" "$S/run"
	for i in $(seq "$N"); do mkdir -p "$S/spool.n$i"; done
	install -d -m 700 -o munge -g munge "$S/munge"
	runuser -u munge -- /usr/sbin/mungekey -c -k "$S/munge/munge.key"
	install -d -m 755 -o munge -g munge "$S/munged-run"
	runuser -u munge -- /usr/sbin/munged --key-file="$S/munge/munge.key" --socket="$S/munged-run/munge.socket" \
		--pid-file="$S/munged-run/munged.pid" --log-file="$S/munged-run/munged.log" --seed-file="$S/munged-run/munged.seed"
	cat >"$S/slurm.conf" <<C
ClusterName=mbsim
SlurmctldHost=$H(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$S/munged-run/munge.socket,cred_expire=15
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPort=$P
StateSaveLocation=$S/state
SlurmdSpoolDir=$S/spool.%n
SlurmctldPidFile=$S/run/slurmctld.pid
SlurmdPidFile=$S/run/slurmd.%n.pid
SlurmctldLogFile=$S/log/slurmctld.log
SlurmdLogFile=$S/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$S/log/jobcomp.log
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_min_interval=100000,batch_sched_delay=0
SlurmdTimeout=10
MaxArraySize=31
ReturnToService=2
MailProg=/bin/true
NodeName=n[1-$N] NodeHostname=$H NodeAddr=127.0.0.1 Port=[$((P + 1))-$((P + N))] CPUs=1 State=UNKNOWN
PartitionName=local Nodes=n[1-$N] Default=YES MaxTime=INFINITE State=UP
C
	export SLURM_CONF=$S/slurm.conf
	slurmctld -f "$SLURM_CONF"
	for i in $(seq "$N"); do slurmd -f "$SLURM_CONF" -N "n$i"; done
	for _ in $(seq 100); do
		[ "$(sinfo -h -N -o '%T' 2>/dev/null | grep -c idle)" = "$N" ] && exit 0
		sleep .2
	done
	tail -n 5 "$S"/log/*.log >&2
	exit 1
}

stop() {
	for p in $(pids); do kill "$p" 2>/dev/null || true; done
	for _ in $(seq 50); do
		left=0
		for p in $(pids); do kill -0 "$p" 2>/dev/null && left=1; done
		[ $left = 0 ] && exit 0
		sleep .1
	done
	for p in $(pids); do kill -9 "$p" 2>/dev/null || true; done
}

command=$1 S=$2
shift 2
"$command" "$@"
