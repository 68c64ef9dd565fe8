//! Memory in huge pages, and large blocks of it apart. An index of canaries is met at random places; in pages of 4 KiB the
//! processor looks up where each lies for longer than the memory itself takes, on a virtual machine several times as long.
//!
//! Linux gives huge pages to who asks, and glibc's allocator asks if it is told to before the program begins.

/// Begins the program anew with the allocator told so. Comes back where that is done already, cannot be done, or means
/// nothing.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn ask_for_huge() {
    use std::os::unix::process::CommandExt;

    let Some(tunables) = tunables(std::env::var_os(NAME)) else {
        return;
    };
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    let mut words = std::env::args_os();
    let mut anew = std::process::Command::new(program);
    if let Some(name) = words.next() {
        anew.arg0(name);
    }
    // It comes back only if there is no such program any more: then this one goes on as it is.
    let _ = anew.args(words).env(NAME, tunables).exec();
}

/// Other allocators are not told.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn ask_for_huge() {}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
const NAME: &str = "GLIBC_TUNABLES";

/// What glibc is told beside what it is told already; `None` where that says of huge pages what the operator wants.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn tunables(known: Option<std::ffi::OsString>) -> Option<std::ffi::OsString> {
    const HUGE: &str = "glibc.malloc.hugetlb";
    // Left to itself it soon keeps blocks of megabytes among small ones, where they leave holes that have to be cleared
    // elsewhere. Records on their way to a worker come and go all the time, and take less than this.
    const APART: &str = "glibc.malloc.mmap_threshold";
    let mut all = known.unwrap_or_default();
    let told = all.to_string_lossy().into_owned();
    if told.contains(HUGE) {
        return None;
    }
    for (name, value) in [(HUGE, "1"), (APART, "393216")] {
        if told.contains(name) {
            continue;
        }
        if !all.is_empty() {
            all.push(":");
        }
        all.push(format!("{name}={value}"));
    }
    Some(all)
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn the_wish_stands_beside_others_and_is_not_repeated() {
        let told = |known: &str| tunables(Some(known.into()));
        let ours = "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=393216";
        assert_eq!(tunables(None), Some(ours.into()));
        let both = format!("glibc.malloc.check=3:{ours}");
        assert_eq!(told("glibc.malloc.check=3"), Some((&both).into()));
        assert_eq!(told(&both), None);
        let apart = "glibc.malloc.mmap_threshold=9";
        let kept = format!("{apart}:glibc.malloc.hugetlb=1");
        assert_eq!(told(apart), Some(kept.into()), "the operator's word");
        assert_eq!(told("glibc.malloc.hugetlb=0"), None, "the operator's word");
    }
}
