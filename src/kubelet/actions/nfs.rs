//! Network file systems: nothing is mounted from afar here, what this machine has mounted is used.

use k8s_openapi::api::core::v1::NFSVolumeSource;

/// A directory of a server that is mounted on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NfsMount {
    server: String,
    /// The directory of the server.
    path: String,
    /// Where it lies here.
    at: String,
}

/// What of servers is mounted, as `/proc/self/mountinfo` has it; what was mounted last comes first.
pub fn nfs_mounts(mountinfo: &str) -> Vec<NfsMount> {
    mountinfo.lines().rev().filter_map(nfs_mount).collect()
}

fn nfs_mount(line: &str) -> Option<NfsMount> {
    let (place, source) = line.split_once(" - ")?;
    let mut source = source.split(' ');
    if !source.next()?.starts_with("nfs") {
        return None;
    }
    let source = unescaped(source.next()?);
    let (server, path) = source.rsplit_once(":/")?;
    let mut place = place.split(' ').skip(3);
    // A part of it that lies elsewhere too has another root.
    let (root, at) = (place.next()?, place.next()?);
    (root == "/").then(|| NfsMount {
        server: server.trim_matches(['[', ']']).to_owned(),
        path: format!("/{path}"),
        at: unescaped(at),
    })
}

/// Spaces and the like are written as octal numbers.
fn unescaped(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .into_iter()
        .fold(text.to_owned(), |text, (written, meant)| text.replace(written, meant))
}

/// Where this machine has the directory of a server, or one that it lies in.
///
/// # Errors
/// It is not mounted.
pub(super) fn directory_of(source: &NFSVolumeSource, mounts: &[NfsMount]) -> Result<String, String> {
    let wanted = source.path.trim_end_matches('/');
    let within = |mount: &NfsMount| {
        let rest = wanted.strip_prefix(mount.path.trim_end_matches('/'))?;
        (rest.is_empty() || rest.starts_with('/'))
            .then(|| format!("{}{rest}", mount.at.trim_end_matches('/')))
    };
    let mounts = mounts.iter().filter(|mount| mount.server == source.server.trim_matches(['[', ']']));
    let best =
        mounts.filter_map(|mount| Some((mount.path.len(), within(mount)?))).max_by_key(|(length, _)| *length);
    best.map(|(_, directory)| directory).ok_or_else(|| {
        let from = format!("{}:{}", source.server, source.path);
        format!(
            "{from} is not mounted on this machine, and jobctl mounts nothing from afar: sudo mount -t nfs {from} DIRECTORY"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_machine_has_mounted_is_found_and_what_lies_in_it() {
        let mountinfo = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
             90 22 0:50 / /mnt/all rw shared:7 - nfs4 files.example.com:/export rw,vers=4.2\n\
             91 22 0:51 / /mnt/with\\040space rw - nfs files.example.com:/export/deep rw\n\
             92 22 0:50 /part /mnt/part rw - nfs4 files.example.com:/export rw\n\
             93 22 0:52 / /mnt/six ro - nfs4 [fd00::1]:/ rw\n";
        let mounts = nfs_mounts(mountinfo);
        assert_eq!(mounts.len(), 3, "{mounts:?}");
        for (server, path, expected) in [
            ("files.example.com", "/export", Some("/mnt/all")),
            ("files.example.com", "/export/", Some("/mnt/all")),
            ("files.example.com", "/export/a/b", Some("/mnt/all/a/b")),
            ("files.example.com", "/export/deep/x", Some("/mnt/with space/x")),
            ("files.example.com", "/exports", None),
            ("other", "/export", None),
            ("fd00::1", "/data", Some("/mnt/six/data")),
        ] {
            let source =
                NFSVolumeSource { server: server.into(), path: path.into(), ..NFSVolumeSource::default() };
            assert_eq!(directory_of(&source, &mounts).ok().as_deref(), expected, "{server}:{path}");
        }
    }
}
