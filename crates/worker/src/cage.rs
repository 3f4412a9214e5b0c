//! The cage: what a child gives up before it sees a client's byte.
//!
//! Three walls, each enough alone against the usual escapes: resource limits, Landlock (no file by path, no TCP),
//! and a seccomp allow-list (no new files, sockets, programs or processes; threads only). The allow-list is the
//! wall that must hold: without it a child refuses to work. Landlock is used as far as the kernel has it.

use std::collections::BTreeMap;
use std::io;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetStatus, Scope,
};
use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition as Condition,
    SeccompFilter, SeccompRule, TargetArch,
};

/// What a child may use at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Address space in bytes.
    pub memory: u64,
    /// Processor time in seconds.
    pub cpu_seconds: u64,
    /// Size of a file that it writes, in bytes.
    pub file_bytes: u64,
}

impl Default for Limits {
    /// 6 GiB of address space, 4 hours of processor time, files of 64 GiB.
    fn default() -> Self {
        Self { memory: 6 << 30, cpu_seconds: 4 * 3600, file_bytes: 64 << 30 }
    }
}

/// Shuts the cage around this process; call it while there is one thread. Says how much of Landlock held.
pub fn shut(limits: Limits) -> io::Result<&'static str> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    for (resource, value) in [
        (Resource::As, limits.memory),
        (Resource::Cpu, limits.cpu_seconds),
        (Resource::Fsize, limits.file_bytes),
        (Resource::Core, 0),
    ] {
        setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })?;
    }
    let landlock = shut_landlock();
    // The allow-list last: it does not allow another filter.
    let programs = [no_clone3()?, allow_list()?];
    for program in &programs {
        seccompiler::apply_filter(program).map_err(io::Error::other)?;
    }
    Ok(landlock)
}

fn shut_landlock() -> &'static str {
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V6))
        .and_then(|ruleset| ruleset.handle_access(AccessNet::from_all(ABI::V6)))
        .and_then(|ruleset| ruleset.scope(Scope::from_all(ABI::V6)))
        .and_then(Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self);
    match status.map(|status| status.ruleset) {
        Ok(RulesetStatus::FullyEnforced) => "full",
        Ok(RulesetStatus::PartiallyEnforced) => "partial",
        Ok(RulesetStatus::NotEnforced) | Err(_) => "none",
    }
}

fn arch() -> io::Result<TargetArch> {
    std::env::consts::ARCH.try_into().map_err(io::Error::other)
}

/// Everything that decoding, encoding and talking to the parent need; all else answers EPERM.
fn allow_list() -> io::Result<BpfProgram> {
    let plain = [
        libc::SYS_brk,
        libc::SYS_clock_getres,
        libc::SYS_clock_gettime,
        libc::SYS_clock_nanosleep,
        libc::SYS_clone3, // answered ENOSYS by the other filter, so that threads fall back on clone
        libc::SYS_close,
        libc::SYS_dup,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_fallocate,
        libc::SYS_fcntl,
        libc::SYS_fdatasync,
        libc::SYS_fstat,
        libc::SYS_fsync,
        libc::SYS_ftruncate,
        libc::SYS_futex,
        libc::SYS_getpid,
        libc::SYS_getrandom,
        libc::SYS_getrusage,
        libc::SYS_gettid,
        libc::SYS_gettimeofday,
        libc::SYS_lseek,
        libc::SYS_madvise,
        libc::SYS_membarrier,
        libc::SYS_mmap,
        libc::SYS_mprotect,
        libc::SYS_mremap,
        libc::SYS_munmap,
        libc::SYS_nanosleep,
        libc::SYS_ppoll,
        libc::SYS_pread64,
        libc::SYS_pwrite64,
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_recvfrom,
        libc::SYS_recvmsg,
        libc::SYS_restart_syscall,
        libc::SYS_rseq,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sched_getaffinity,
        libc::SYS_sched_getparam,
        libc::SYS_sched_getscheduler,
        libc::SYS_sched_yield,
        libc::SYS_set_robust_list,
        libc::SYS_sigaltstack,
        libc::SYS_sysinfo,
        libc::SYS_tgkill,
        libc::SYS_uname,
        libc::SYS_write,
        libc::SYS_writev,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_time,
    ];
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        plain.into_iter().map(|call| (call, Vec::new())).collect();
    // Threads, never processes.
    let thread = libc::CLONE_THREAD as u64;
    rules.insert(libc::SYS_clone, vec![rule(Condition::new(0, Len::Qword, Op::MaskedEq(thread), thread))?]);
    // The status of a descriptor, not of a path.
    let empty = libc::AT_EMPTY_PATH as u64;
    rules
        .insert(libc::SYS_newfstatat, vec![rule(Condition::new(3, Len::Dword, Op::MaskedEq(empty), empty))?]);
    // Sending on the socket pair: no destination.
    rules.insert(libc::SYS_sendto, vec![rule(Condition::new(4, Len::Qword, Op::Eq, 0))?]);
    // Naming threads and memory.
    let names = [libc::PR_SET_NAME as u64, libc::PR_SET_VMA as u64];
    let names = names.map(|name| rule(Condition::new(0, Len::Dword, Op::Eq, name)));
    rules.insert(libc::SYS_prctl, names.into_iter().collect::<io::Result<_>>()?);
    // Reading limits, not setting them.
    rules.insert(libc::SYS_prlimit64, vec![rule(Condition::new(2, Len::Qword, Op::Eq, 0))?]);
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    let filter =
        SeccompFilter::new(rules, refuse, SeccompAction::Allow, arch()?).map_err(io::Error::other)?;
    filter.try_into().map_err(io::Error::other)
}

/// The flags of `clone3` lie in memory, where no filter can see them; without it libc uses `clone`.
fn no_clone3() -> io::Result<BpfProgram> {
    let rules = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let missing = SeccompAction::Errno(libc::ENOSYS as u32);
    let filter =
        SeccompFilter::new(rules, SeccompAction::Allow, missing, arch()?).map_err(io::Error::other)?;
    filter.try_into().map_err(io::Error::other)
}

fn rule(condition: Result<Condition, seccompiler::BackendError>) -> io::Result<SeccompRule> {
    SeccompRule::new(vec![condition.map_err(io::Error::other)?]).map_err(io::Error::other)
}
