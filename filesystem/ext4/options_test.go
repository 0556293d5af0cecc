package ext4

import (
	"strings"
	"testing"

	"mbsim/filesystem/image"
)

func TestParseOptions(t *testing.T) {
	o := DefaultOptions(4096)
	if !o.DioreadNolock || DefaultOptions(1024).DioreadNolock {
		t.Error("dioread_nolock is the default where a block is a page, and only there")
	}
	if err := o.Parse(" nodelalloc, dioread_lock,noauto_da_alloc,stripe=7,commit=30,relatime,,data=ordered,prefetch_block_bitmaps"); err != nil {
		t.Fatal(err)
	}
	if o.Delalloc || o.DioreadNolock || o.AutoDaAlloc || o.Stripe != 7 || o.CommitSeconds != 30 || !o.PrefetchBlockBitmaps {
		t.Errorf("%+v", o)
	}
	if err := o.Parse("delalloc,dioread_nolock,auto_da_alloc,stripe=0"); err != nil || !o.Delalloc || !o.DioreadNolock || !o.AutoDaAlloc || o.Stripe != 0 {
		t.Errorf("%v, %+v", err, o)
	}
	for _, c := range []struct{ text, want string }{
		{"nodelaloc", `unknown mount option "nodelaloc" (did you mean "nodelalloc"?)`},
		{"relatime,stripes=3", `unknown mount option "stripes=3" (did you mean "stripe="?)`},
		{"usrkuota", `unknown mount option "usrkuota" (did you mean "usrquota"?)`},
		{"ro", `mount option "ro" is not modelled: a file system that is only read allocates nothing`},
		{"dax=always", `mount option "dax=always" is not modelled: `},
		{"mb_optimize_scan=1", `kernel 5.10 does not have the mount option mb_optimize_scan; these do: 6.1, `},
		{"stripe", `mount option stripe needs a number: "stripe"`},
		{"commit=soon", `mount option commit needs a number: "commit=soon"`},
		{"data=journal", `mount option "data=journal" is not modelled; data=ordered is`},
	} {
		if err := o.Parse(c.text); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.text, err, c.want)
		}
	}
}

// TestLinesOfProcMounts gives the options of lines of /proc/mounts, as distributions have
// them.
func TestLinesOfProcMounts(t *testing.T) {
	for _, line := range []string{
		"rw,relatime,errors=remount-ro", "rw,seclabel,relatime", "rw,noatime,discard,errors=remount-ro,data=ordered", "rw,nosuid,nodev,noexec,relatime,stripe=8191",
		"rw,relatime,quota,usrquota,grpquota", "rw,relatime,jqfmt=vfsv1,usrjquota=aquota.user,grpjquota=aquota.group", "rw,relatime,resuid=1000,resgid=1000,errors=continue",
		"rw,lazytime,commit=60,nobarrier,nodelalloc,auto_da_alloc=0,inode_readahead_blks=64", "rw,relatime,journal_checksum,journal_async_commit,max_batch_time=0,min_batch_time=0",
		"defaults,noatime,x-systemd.automount,nofail,comment=backup", "rw,relatime,dax=inode,max_dir_size_kb=0,data_err=abort,barrier=1,init_itable=10,minixdf,nogrpid,block_validity",
		"rw,context=system_u:object_r:tmp_t:s0,i_version,nombcache,warn_on_error,nouid32,journal_ioprio=3", "rw,oldalloc,bh,noreservation,nocheck,mblk_io_submit",
	} {
		o := DefaultOptions(4096)
		if err := o.Parse(line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		if zero := strings.Contains(line, "auto_da_alloc=0"); zero == o.AutoDaAlloc {
			t.Errorf("%s: auto_da_alloc is %v", line, o.AutoDaAlloc)
		}
	}
}

// TestOptionsSuggestedAreKnown tests that Parse acts on every option of decidingOptions,
// since these are suggested to users.
func TestOptionsSuggestedAreKnown(t *testing.T) {
	values := map[string]string{"commit=": "5", "stripe=": "5", "data=": "ordered", "resuid=": "0", "resgid=": "1000", "mb_optimize_scan=": "1"}
	// The kernel has every option.
	k := DefaultKernel
	k.Defaults.OptimizeScanGroups = 16
	for _, name := range decidingOptions {
		o := k.DefaultOptions(4096)
		if err := o.Parse(name + values[name]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMountRefuses tests that a mistake in the options of a mount is an error and not a
// panic.
func TestMountRefuses(t *testing.T) {
	p, err := image.ParseMkfsArgs([]string{"-t", "ext4"}, 16<<20)
	if err != nil {
		t.Fatal(err)
	}
	l, err := image.Mkfs(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		opt  Options
		want string
	}{
		{Options{}, "0 CPUs"},
		{Options{CPUs: 1, Stripe: -1, Kernel: DefaultKernel, Tunables: map[string]uint32{"s_mb_streamrequest": 1}}, `did you mean "s_mb_stream_request"?`},
	} {
		if _, err := Mount(l, c.opt); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}
