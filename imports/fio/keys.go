package fio

import (
	"fmt"
	"strconv"
	"strings"
)

// key stores the value of a key in a job.
type key func(j *Job, value string) error

// keys are the keys that have an effect on blocks.
var keys = map[string]key{
	"rw": setKind, "readwrite": setKind,
	"rwmixread": func(j *Job, v string) error { return setInt(&j.MixRead, v, 0, 100) },
	"rwmixwrite": func(j *Job, v string) error {
		err := setInt(&j.MixRead, v, 0, 100)
		j.MixRead = 100 - j.MixRead
		return err
	},
	"bs": setBlocks, "blocksize": setBlocks, "bsrange": setBlocks, "blocksize_range": setBlocks,
	"bssplit": func(j *Job, v string) error { return parseBlocks(v, true, &j.Reads, &j.Writes) },
	"size":    func(j *Job, v string) (err error) { j.Size, err = parseShare(v); return err },
	"io_size": setIOSize, "io_limit": setIOSize,
	"filesize": func(j *Job, v string) (err error) { j.FileLow, j.FileHigh, err = parseRange(v); return err },
	"nrfiles":  setFiles, "nr_files": setFiles,
	"numjobs":           func(j *Job, v string) error { return setInt(&j.Jobs, v, 1, 100000) },
	"loops":             func(j *Job, v string) error { return setInt(&j.Loops, v, 1, 1<<30) },
	"number_ios":        func(j *Job, v string) error { return setInt(&j.Requests, v, 0, 1<<60) },
	"fsync":             func(j *Job, v string) error { return setInt(&j.Fsync, v, 0, 1<<60) },
	"fdatasync":         func(j *Job, v string) error { return setInt(&j.Fdatasync, v, 0, 1<<60) },
	"end_fsync":         func(j *Job, v string) error { return setBool(&j.EndFsync, v) },
	"end_syncfs":        func(j *Job, v string) error { return setBool(&j.EndSyncfs, v) },
	"fsync_on_close":    func(j *Job, v string) error { return setBool(&j.FsyncOnClose, v) },
	"create_fsync":      func(j *Job, v string) error { return setBool(&j.CreateFsync, v) },
	"create_on_open":    func(j *Job, v string) error { return setBool(&j.CreateOnOpen, v) },
	"create_only":       func(j *Job, v string) error { return setBool(&j.CreateOnly, v) },
	"overwrite":         func(j *Job, v string) error { return setBool(&j.Overwrite, v) },
	"file_append":       func(j *Job, v string) error { return setBool(&j.Append, v) },
	"unlink":            func(j *Job, v string) error { return setBool(&j.Unlink, v) },
	"unlink_each_loop":  func(j *Job, v string) error { return setBool(&j.UnlinkEachLoop, v) },
	"norandommap":       func(j *Job, v string) error { return setBool(&j.NoMap, v) },
	"direct":            func(j *Job, v string) error { return setBool(&j.Direct, v) },
	"buffered":          func(j *Job, v string) error { err := setBool(&j.Direct, v); j.Direct = !j.Direct; return err },
	"sync":              setSync,
	"stonewall":         func(j *Job, v string) error { return setBool(&j.Stonewall, v) },
	"wait_for_previous": func(j *Job, v string) error { return setBool(&j.Stonewall, v) },
	"fallocate":         setFallocate,
	"directory":         func(j *Job, v string) error { j.Directory = v; return nil },
	"filename":          func(j *Job, v string) error { j.Filename = v; return nil },
	"filename_format":   func(j *Job, v string) error { j.Format = v; return nil },
	"offset":            setOffset, "fileoffset": setOffset,
	"offset_increment":    func(j *Job, v string) (err error) { j.OffsetIncrement, err = parseShare(v); return err },
	"offset_align":        func(j *Job, v string) (err error) { j.OffsetAlign, err = parseSize(v); return err },
	"random_distribution": func(j *Job, v string) (err error) { j.Distribution, err = parseDistribution(v); return err },
	"randseed":            func(j *Job, v string) error { return setInt(&j.Seed, v, 0, 1<<63-1) },
	"ioengine":            func(j *Job, v string) error { j.Engine, _, _ = strings.Cut(v, ":"); return nil },
	"file_service_type":   setService,
	"name":                func(j *Job, v string) error { j.Name = v; return nil },
}

// kinds are the values of rw. A number behind a colon says how many requests follow one another.
var kinds = map[string]Kind{
	"read": {Reads: true}, "write": {Writes: true}, "trim": {Trims: true},
	"randread": {Reads: true, Random: true}, "randwrite": {Writes: true, Random: true}, "randtrim": {Trims: true, Random: true},
	"rw": {Reads: true, Writes: true}, "readwrite": {Reads: true, Writes: true}, "randrw": {Reads: true, Writes: true, Random: true},
	"trimwrite": {Trims: true, Writes: true}, "randtrimwrite": {Trims: true, Writes: true, Random: true},
}

func setKind(j *Job, v string) error {
	word, number, has := strings.Cut(v, ":")
	k, ok := kinds[word]
	if !ok {
		return fmt.Errorf("%q: want read, write, rw, randread, randwrite, randrw or one of the trims", word)
	}
	j.Kind, j.Run = k, 1
	if has {
		// A length instead of a number is a gap between requests that follow one another.
		if n, err := strconv.ParseInt(number, 10, 64); err == nil && n >= 1 && k.Random {
			j.Run = n
			return nil
		}
		n, err := parseSize(number)
		j.Gap = n
		return err
	}
	return nil
}

func setBlocks(j *Job, v string) error { return parseBlocks(v, false, &j.Reads, &j.Writes) }

func setIOSize(j *Job, v string) (err error) {
	j.IOSize, err = parseShare(v)
	return err
}

func setOffset(j *Job, v string) (err error) {
	j.Offset, err = parseShare(v)
	return err
}

func setFiles(j *Job, v string) error { return setInt(&j.Files, v, 1, 10_000_000) }

// setSync: none, sync or dsync; numbers as before there were names.
func setSync(j *Job, v string) error {
	switch v {
	case "none", "0":
		j.Sync = false
	case "", "1", "sync", "dsync":
		j.Sync = true
	default:
		return fmt.Errorf("%q: want none, sync or dsync", v)
	}
	return nil
}

func setFallocate(j *Job, v string) error {
	switch v {
	case "none", "0":
		j.Fallocate = "none"
	case "native", "posix", "1", "":
		j.Fallocate = "native"
	case "keep", "truncate":
		j.Fallocate = v
	default:
		return fmt.Errorf("%q: want none, native, posix, keep or truncate", v)
	}
	return nil
}

// setService: how a job goes on from file to file.
func setService(j *Job, v string) error {
	word, number, has := strings.Cut(v, ":")
	j.Service, j.ServiceRun = word, 1
	if word != "random" && word != "roundrobin" && word != "sequential" {
		j.Service = "random" // zipf, pareto, normal, gauss: which file is drawn more often is not kept
		if word != "zipf" && word != "pareto" && word != "normal" && word != "gauss" {
			return fmt.Errorf("%q: want random, roundrobin or sequential", word)
		}
		return nil
	}
	if has {
		return setInt(&j.ServiceRun, number, 1, 1<<60)
	}
	return nil
}

func setInt(p *int64, v string, low, high int64) (err error) {
	*p, err = parseInt(v, low, high)
	return err
}

func setBool(p *bool, v string) (err error) {
	*p, err = parseBool(v)
	return err
}

// words makes a set of words.
func words(list string) map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(list) {
		m[w] = true
	}
	return m
}

// notKept are keys that change what fio writes, or when, and that the script cannot say.
var notKept = words(`runtime timeout time_based ramp_time ramp_size startdelay thinktime thinktime_spin thinktime_blocks thinktime_blocks_type
	thinktime_iotime thinkcycles rate rate_min ratemin rate_iops rate_iops_min rate_cycle ratecycle rate_process rate_ignore_thinktime wait_for exitall
	exitall_on_error exit_what fill_device fill_fs zonesize zonerange zoneskip zonemode zonecapacity write_zone_remainder sync_file_range
	rw_sequencer percentage_random percentage_sequential bs_unaligned blocksize_unaligned bs_is_seq_rand ba blockalign sprandom spr_op spr_num_regions spr_cs
	trim_percentage trim_verify_zero trim_backlog trim_backlog_batch trim_range num_range flow flow_id flow_sleep flow_watermark exec_prerun exec_postrun
	read_iolog replay_redirect replay_scale replay_align replay_skip replay_time_scale steadystate ss steadystate_duration ss_dur steadystate_ramp_time ss_ramp
	steadystate_check_interval ss_interval latency_target latency_window latency_percentile latency_run profile random_sequence_stride softrandommap rwmixcycle job_max_open_zones max_open_zones
	verify_only experimental_verify allow_file_create unique_filename kb_base fadvise_hint filetype`)

// harmless are keys that have no effect on where blocks lie.
var harmless = words(`description group_reporting new_group iodepth iodepth_batch iodepth_batch_submit iodepth_batch_complete iodepth_batch_complete_min
	iodepth_batch_complete_max iodepth_low io_submit_mode serialize_overlap randrepeat allrandrepeat random_generator use_os_rand atomic write_iolog
	verify verify_async verify_async_cpus verify_backlog verify_backlog_batch verify_dump verify_fatal verify_header_seed verify_interval verify_offset
	verify_pattern verify_pattern_interval verify_policy verify_state_load verify_state_save verify_write_sequence verifysort verifysort_nr do_verify
	buffer_compress_chunk buffer_compress_percentage buffer_pattern refill_buffers scramble_buffers zero_buffers dedupe_percentage dedupe_global dedupe_mode
	dedupe_working_set_percentage bwavgtime iopsavgtime clat_percentiles lat_percentiles slat_percentiles percentile_list significant_figures
	block_error_percentiles clocksource gtod_cpu gtod_reduce job_start_clock_id disable_lat disable_clat disable_slat disable_bw disable_bw_measurement
	disk_util cpumask cpus_allowed cpus_allowed_policy numa_cpu_nodes numa_mem_policy nice prio prioclass priohint thread cgroup cgroup_weight cgroup_nodelete uid gid
	create_serialize invalidate pre_read openfiles opendir lockfile lockmem mem iomem iomem_align mem_align hugepage_size hugepage-size ioscheduler
	log_avg_msec log_hist_msec log_hist_coarseness log_compression log_compression_cpus log_entries log_max_value log_window_value log_offset log_prio log_store_compressed
	log_unix_epoch log_alternate_epoch log_alternate_epoch_clock_id log_issue_time per_job_logs write_bw_log write_lat_log write_iops_log write_hist_log
	write_hint write_barrier continue_on_error ignore_error error_dump max_latency stats unified_rw_reporting unit_base comm ignore_zone_limits
	allow_mounted_write hipri sqthread_poll sqthread_poll_cpu registerfiles fixedbufs nonvectored uncached nowait force_async cmd_type userspace_reap
	read_iolog_chunked replay_no_stall no_stall merge_blktrace_file merge_blktrace_iters merge_blktrace_scalars rwf_hipri`)

// nearestKeys are all keys that are known.
func nearestKeys() []string {
	var all []string
	for k := range keys {
		all = append(all, k)
	}
	for k := range notKept {
		all = append(all, k)
	}
	for k := range harmless {
		all = append(all, k)
	}
	return all
}
