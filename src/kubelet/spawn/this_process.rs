//! What this process is to the system: its title, its memory, its orphans.

use std::ffi::CStr;
use std::sync::OnceLock;

/// Makes this process the adoptive parent of its descendants' orphans.
pub(in crate::kubelet) fn become_subreaper() {
    // SAFETY: a plain prctl without pointers.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
}

/// How much of the stack may have been used below where it is now.
const USED_STACK: usize = 256 << 10;
/// What a function may use of the stack below its own frame without saying so.
const RED_ZONE: usize = 128;

/// Gives memory that is free back to the system: a process that is going to sleep for long needs little. Of the stack that
/// is what deeper calls have used.
#[inline(never)]
pub(in crate::kubelet) fn release_free_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it only looks at the allocator's own lists.
    unsafe {
        libc::malloc_trim(0);
    }
    let here = 0_u8;
    let page =
        nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten().unwrap_or(4096) as usize;
    // The call below needs a little itself: a page is left for it.
    let end = ((&raw const here).addr() - RED_ZONE) / page * page - page;
    // SAFETY: nothing lives below the frame of the function that runs; these pages read as zeros when they are used again.
    // Where the stack does not reach so far down, nothing is mapped, and nothing happens there.
    unsafe {
        libc::madvise((end - USED_STACK) as *mut libc::c_void, USED_STACK, libc::MADV_DONTNEED);
    }
}

/// Where the words of this process's command line lie, from its start on.
static TITLE: OnceLock<Option<(usize, usize)>> = OnceLock::new();

/// What `ps` shows of this process as its command line: as much of it as has room where that lies.
pub fn set_title(title: &str) {
    let area = TITLE.get_or_init(|| {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // After the name in brackets, fields are counted from the third on.
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        let (start, end): (usize, usize) = (fields.get(45)?.parse().ok()?, fields.get(46)?.parse().ok()?);
        (start != 0 && end > start).then_some((start, end))
    });
    let Some((start, end)) = *area else { return };
    let length = title.len().min(end - start - 1);
    // SAFETY: the kernel laid the command line's words out there, writable and ours for life; nobody keeps references into
    // it (Rust hands out copies). The area ends with a NUL, which stays.
    unsafe {
        let words = std::ptr::with_exposed_provenance_mut::<u8>(start);
        std::ptr::copy_nonoverlapping(title.as_ptr(), words, length);
        std::ptr::write_bytes(words.add(length), 0, end - start - length);
    }
}

/// The name under which `ps` shows this process.
pub(in crate::kubelet) fn set_process_name(name: &CStr) {
    // SAFETY: prctl copies at most 16 bytes from the NUL-terminated string.
    unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
}
