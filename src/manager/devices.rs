//! Which devices this machine has, by its drivers' files.

use std::fs;
use std::path::Path;

use crate::api::devices::Devices;

/// The devices for which there is a driver here, by the resources that device plugins make of them.
pub(super) fn found_here() -> Devices {
    let nvidia = nvidia(Path::new("/proc/driver/nvidia/gpus"));
    let amd = amd(Path::new("/sys/class/kfd/kfd/topology/nodes"));
    let found = [("nvidia.com/gpu", nvidia), ("amd.com/gpu", amd)];
    let found = found.into_iter().filter(|(_, ids)| !ids.is_empty());
    found.map(|(resource, ids)| (resource.to_owned(), ids)).collect()
}

/// The numbers of as many devices, as their libraries count them in the order of their places on the bus.
fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

/// The driver has a directory for each device, named by its place on the bus.
fn nvidia(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    numbers(entries.flatten().filter(|entry| entry.path().join("information").exists()).count())
}

/// The driver has a directory for each of its nodes; those that compute have a number of the device's, processors have 0.
fn amd(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let computes = |entry: &fs::DirEntry| {
        let number = fs::read_to_string(entry.path().join("gpu_id")).unwrap_or_default();
        number.trim().parse::<u64>().is_ok_and(|number| number != 0)
    };
    numbers(entries.flatten().filter(computes).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "a test's own files")]
    fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a directory");
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, text).expect("a file");
        }
        root
    }

    #[test]
    fn devices_are_counted_by_their_drivers_files() {
        let none = directory(&[]);
        assert_eq!(nvidia(none.path()), Vec::<String>::new());
        assert_eq!(nvidia(&none.path().join("missing")), Vec::<String>::new());
        let two = directory(&[
            ("0000:17:00.0/information", "Model: \t\t NVIDIA A100\n"),
            ("0000:65:00.0/information", "Model: \t\t NVIDIA A100\n"),
        ]);
        assert_eq!(nvidia(two.path()), ["0", "1"]);
        let nodes = directory(&[("0/gpu_id", "0\n"), ("1/gpu_id", "12345\n"), ("2/gpu_id", "")]);
        assert_eq!(amd(nodes.path()), ["0"]);
    }
}
