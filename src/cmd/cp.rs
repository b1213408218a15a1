//! `cp`: files between this machine, as its user sees it, and a container's view of it.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use super::context::{Context, Global};
use super::exec::visit;
use super::output::{complain, print};
use super::pod_target::container_to_enter;
use super::pump::{Outputs, To};
use super::tree::{self, problem};
use crate::api::Pod;
use crate::api::kinds::{Key, Kind};
use crate::apiserver::Read as _;
use crate::kubelet::{Reply, Visit, VisitFor, VisitRequest};
use crate::manager::creator_umask;
use crate::store::Table;

/// Copy files and directories to and from containers
///
/// One of both is in a container: [NAMESPACE/]POD:PATH. Paths there are those that the container sees, and it is the container's
/// user who reads and writes them. No program is needed there, neither tar nor another.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where from, and where to
    #[arg(value_name = "SOURCE DESTINATION")]
    places: Vec<String>,
    /// The container; by default the one that the annotation kubectl.kubernetes.io/default-container names, or the first
    #[arg(short, long)]
    container: Option<String>,
    /// Keep neither owners nor permissions of what goes into a container
    #[arg(long)]
    no_preserve: bool,
    /// How often a copy out of a container is begun again that has broken off; negative is for ever
    #[arg(long, default_value_t = 0)]
    retries: i64,
}

/// A place of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Here(String),
    There { namespace: Option<String>, pod: String, path: String },
}

impl Place {
    fn parse(word: &str) -> Result<Self> {
        let Some((pod, path)) = word.split_once(':') else { return Ok(Self::Here(word.to_owned())) };
        let parts: Vec<&str> = pod.split('/').collect();
        let (namespace, pod) = match parts.as_slice() {
            [pod] if !pod.is_empty() => (None, *pod),
            [namespace, pod] => (Some((*namespace).to_owned()).filter(|name| !name.is_empty()), *pod),
            _ => bail!("filespec must match the canonical format: [[namespace/]pod:]file/path"),
        };
        Ok(Self::There { namespace, pod: pod.to_owned(), path: path.to_owned() })
    }

    fn path(&self) -> &str {
        match self {
            Self::Here(path) | Self::There { path, .. } => path,
        }
    }
}

/// Copies.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let [from, to] = args.places.as_slice() else { bail!("source and destination are required") };
    let (from, to) = (Place::parse(from)?, Place::parse(to)?);
    if let (Place::There { .. }, Place::There { .. }) = (&from, &to) {
        bail!("one of src or dest must be a local file specification");
    }
    if from.path().is_empty() || to.path().is_empty() {
        bail!("filepath can not be empty");
    }
    match (&from, &to) {
        (Place::Here(from), Place::There { namespace, pod, path }) => {
            if fs::metadata(from).is_err() {
                bail!("{from} doesn't exist in local filesystem");
            }
            let there = Container::find(global, args, namespace.as_deref(), pod)?;
            there.receive(Path::new(from), path, args.no_preserve)
        }
        (Place::There { namespace, pod, path }, Place::Here(to)) => {
            let there = Container::find(global, args, namespace.as_deref(), pod)?;
            there.send_patiently(path, Path::new(to), args.retries)
        }
        _ => bail!("one of src or dest must be a remote file specification"),
    }
}

/// A container of a running pod.
struct Container {
    context: Context,
    namespace: String,
    pod: Pod,
    name: String,
}

impl Container {
    fn find(global: &Global, args: &Args, namespace: Option<&str>, pod: &str) -> Result<Self> {
        let context = Context::open(global)?;
        let namespace = namespace.unwrap_or(&context.namespace).to_owned();
        let pod: Pod =
            context.client.read(&[Table::PODS])?.get(Kind::Pod, &Key::new(&namespace, pod))?.parse()?;
        let name = container_to_enter(&pod, args.container.as_deref(), false)?;
        Ok(Self { context, namespace, pod, name })
    }

    /// Starts our own program in the container: it is there by the link that every process has to its own, whatever the container
    /// sees, and runs as whoever the container is.
    fn begin(&self, words: &[&str], streams: [&OwnedFd; 3]) -> Result<Visit> {
        let argv =
            ["/proc/self/exe", tree::WORD].iter().chain(words).map(|word| (*word).to_owned()).collect();
        let wants = VisitFor::Exec { argv, env: Vec::new(), is_terminal: false };
        let request = VisitRequest { container: self.name.clone(), wants };
        visit(&self.context, &self.pod, &request, &streams)
    }

    /// Copies a file or a directory into the container.
    fn receive(&self, from: &Path, to: &str, no_preserve: bool) -> Result<ExitCode> {
        let ((input, ours), (said, say)) = (pipe()?, pipe()?);
        let keep = if no_preserve { tree::NOTHING } else { tree::ALL };
        let visit = self.begin(&[tree::UNPACK, to, &base_name(from)?, keep], [&input, &say, &say])?;
        drop((input, say));
        let said = Outputs::copy(vec![(said, To::Stderr)])?;
        let mut archive = BufWriter::new(File::from(ours));
        let mut complaints = 0;
        let packed = tree::pack(from, &mut archive, |why| {
            complaints += 1;
            complain(&why);
        });
        let packed = packed.and_then(|()| archive.flush());
        drop(archive);
        let code = end_of(visit)?;
        said.finish()?;
        match packed {
            // Whoever has stopped to read says why.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(ExitCode::from(u8::from(code != 0 || complaints > 0))),
        }
    }

    /// Copies a file or a directory out of the container, from the start again where that breaks off.
    fn send_patiently(&self, from: &str, to: &Path, retries: i64) -> Result<ExitCode> {
        let mut retry = 0;
        loop {
            match self.send(from, to)? {
                Some(code) => return Ok(code),
                None if retries < 0 || retry < retries => {
                    retry += 1;
                    print(&format!("Resuming copy at 0 bytes, retry {retry}/{retries}\n"))?;
                }
                None => bail!("unexpected EOF"),
            }
        }
    }

    /// `None`: it has broken off.
    fn send(&self, from: &str, to: &Path) -> Result<Option<ExitCode>> {
        let input: OwnedFd = File::open("/dev/null").context("open /dev/null")?.into();
        let ((archive, output), (said, say)) = (pipe()?, pipe()?);
        let visit = self.begin(&[tree::PACK, from], [&input, &output, &say])?;
        drop((input, output, say));
        let said = Outputs::copy(vec![(said, To::Stderr)])?;
        let mut archive = Watched { inner: BufReader::new(File::from(archive)), count: 0, ended: false };
        let mut links = SkippedLinks { container: self, from, is_told: false };
        // What is made here is the user's: his mask counts, not the one that our own files have.
        let mask = |bits| nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(bits));
        let ours = mask(creator_umask());
        let unpacked = unpack_here(&mut archive, to, &mut links);
        mask(ours.bits());
        // What follows the end of an archive is of no use, but whoever writes it is not to be stopped by that.
        let drained = io::copy(&mut archive, &mut io::sink());
        drop(archive.inner);
        let code = end_of(visit)?;
        said.finish()?;
        match unpacked {
            Err(_) if archive.ended && code != 0 && archive.count == 0 => Ok(Some(ExitCode::FAILURE)),
            Err(error) if error.is::<Torn>() => Ok(None),
            Err(error) => Err(error),
            Ok(()) => drained.map_err(Into::into).map(|_| Some(ExitCode::from(u8::from(code != 0)))),
        }
    }
}

fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).context("make a pipe")
}

/// Waits for the end of what a visit has begun.
fn end_of(mut visit: Visit) -> Result<i32> {
    loop {
        match visit.hear()? {
            Some(Reply::Ended(code)) => return Ok(code),
            Some(_) => {}
            None => return Ok(137),
        }
    }
}

/// What a file or a directory is called by itself; nothing for the directory where we are.
fn base_name(path: &Path) -> Result<String> {
    if path.components().all(|component| component == Component::CurDir) {
        return Ok(String::new());
    }
    let named = match path.file_name() {
        Some(_) => path.to_owned(),
        None => path.canonicalize().with_context(|| format!("find {}", path.display()))?,
    };
    Ok(named.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()))
}

/// An archive that breaks off.
#[derive(Debug)]
struct Torn;

impl std::fmt::Display for Torn {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("unexpected EOF")
    }
}

impl std::error::Error for Torn {}

/// What is read of an archive, and whether it has ended.
struct Watched<R> {
    inner: R,
    count: u64,
    ended: bool,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count += count as u64;
        self.ended |= count == 0 && !buffer.is_empty();
        Ok(count)
    }
}

/// Links are not copied out of a container: they could lead anywhere. The first is told of with a way to have them.
struct SkippedLinks<'a> {
    container: &'a Container,
    from: &'a str,
    is_told: bool,
}

impl SkippedLinks<'_> {
    fn skip(&mut self, place: &Path, target: &Path) {
        let Container { namespace, pod, .. } = self.container;
        let instead = match std::mem::replace(&mut self.is_told, true) {
            true => String::new(),
            false => format!(
                " (consider using \"jobctl exec -n {namespace:?} {:?} -- tar cf - {:?} | tar xf -\")",
                pod.metadata.name.as_deref().unwrap_or_default(),
                self.from
            ),
        };
        complain(&format!("warning: skipping symlink: {place:?} -> {target:?}{instead}"));
    }
}

/// Unpacks what comes out of a container. Whoever has packed it may lie: nothing is made but files and directories, nowhere but
/// below `to`.
fn unpack_here<R: Read>(archive: &mut Watched<R>, to: &Path, links: &mut SkippedLinks<'_>) -> Result<()> {
    unpack_below(archive, to, &mut |place, target| links.skip(place, target))
}

fn unpack_below<R: Read>(
    archive: &mut Watched<R>,
    to: &Path,
    skip_link: &mut impl FnMut(&Path, &Path),
) -> Result<()> {
    let unpacked = unpack_all(&mut *archive, to, skip_link);
    // Whoever reads a whole archive does not come to the end of what it is read from.
    if archive.ended { Err(Torn.into()) } else { unpacked }
}

fn unpack_all(archive: impl Read, to: &Path, skip_link: &mut impl FnMut(&Path, &Path)) -> Result<()> {
    for entry in tar::Archive::new(archive).entries()? {
        let mut entry = entry.context("tar contents corrupted")?;
        let name = entry.path()?.into_owned();
        let Some(place) = place_below(to, &name) else {
            complain(&format!(
                "warning: file {:?} is outside target destination, skipping",
                to.join(&name).display().to_string()
            ));
            continue;
        };
        let kind = entry.header().entry_type();
        if kind.is_dir() {
            fs::create_dir_all(&place).map_err(|error| problem("mkdir", &place, &error))?;
            continue;
        }
        if let Some(parent) = place.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(|error| problem("mkdir", parent, &error))?;
        }
        if kind.is_symlink() {
            let target = entry.link_name().ok().flatten().map(|target| target.into_owned());
            skip_link(&place, &target.unwrap_or_default());
        } else if kind.is_file() {
            let mut file = File::create(&place).map_err(|error| problem("open", &place, &error))?;
            io::copy(&mut entry, &mut file).map_err(|error| problem("write", &place, &error))?;
        } else {
            complain(&format!("warning: skipping special file: {:?}", place.display().to_string()));
        }
    }
    Ok(())
}

/// Where an entry goes; nothing where that would be outside.
fn place_below(to: &Path, name: &Path) -> Option<PathBuf> {
    let mut place = to.to_owned();
    for component in name.components() {
        match component {
            Component::Normal(part) => place.push(part),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive of entries as no honest packer makes them.
    fn archive(entries: &[(&str, tar::EntryType, &str)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, kind, content) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(0o644);
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            match kind {
                tar::EntryType::Symlink => {
                    header.set_size(0);
                    header.set_link_name(content).expect("a link");
                }
                _ => header.set_size(content.len() as u64),
            }
            header.set_cksum();
            bytes.extend_from_slice(header.as_bytes());
            if *kind == tar::EntryType::Regular {
                let mut block = content.as_bytes().to_vec();
                block.resize(content.len().next_multiple_of(512), 0);
                bytes.extend_from_slice(&block);
            }
        }
        bytes.extend_from_slice(&[0; 1024]);
        bytes
    }

    fn unpack(bytes: &[u8], to: &Path) -> Result<Vec<String>> {
        let mut links = Vec::new();
        let mut archive = Watched { inner: bytes, count: 0, ended: false };
        unpack_below(&mut archive, to, &mut |place, target| {
            links.push(format!("{} -> {}", place.display(), target.display()));
        })?;
        Ok(links)
    }

    #[test]
    fn nothing_that_comes_out_of_a_container_is_written_elsewhere() {
        let world = tempfile::tempdir().expect("a directory");
        let (to, outside) = (world.path().join("in"), world.path().join("out"));
        let (file, link) = (tar::EntryType::Regular, tar::EntryType::Symlink);
        let absolute = outside.to_str().expect("a path").to_owned();
        let entries = [
            ("../out", file, "1"),
            ("a/../../out", file, "2"),
            (absolute.as_str(), file, "3"),
            ("link", link, ".."),
            ("link/out", file, "4"),
            ("./good/one", file, "5"),
            ("pipe", tar::EntryType::Fifo, ""),
            ("hard", tar::EntryType::Link, ""),
        ];
        let links = unpack(&archive(&entries), &to).expect("unpacked");
        assert_eq!(links, [format!("{} -> ..", to.join("link").display())]);
        assert!(!outside.exists());
        let read = |name: &str| fs::read_to_string(to.join(name)).expect("a file");
        // What was to go through the link has gone into a directory of that name.
        assert_eq!((read("link/out"), read("good/one")), ("4".to_owned(), "5".to_owned()));
        assert!(!to.join("pipe").exists() && !to.join("hard").exists());
    }

    #[test]
    fn an_archive_that_breaks_off_is_noticed() {
        let world = tempfile::tempdir().expect("a directory");
        let whole = archive(&[("a", tar::EntryType::Regular, "some text")]);
        assert!(unpack(&whole, world.path()).is_ok());
        for length in [0, 100, 512, 515, 1000, 1024] {
            let error = unpack(&whole[..length], world.path()).expect_err("torn");
            assert_eq!(error.to_string(), "unexpected EOF", "{length}");
        }
    }

    #[test]
    fn places_are_read_as_kubectl_reads_them() {
        let there = |namespace: Option<&str>, pod: &str, path: &str| Place::There {
            namespace: namespace.map(str::to_owned),
            pod: pod.into(),
            path: path.into(),
        };
        for (word, place) in [
            ("a/b", Place::Here("a/b".into())),
            ("pod:/x", there(None, "pod", "/x")),
            ("ns/pod:x:y", there(Some("ns"), "pod", "x:y")),
            ("pod:", there(None, "pod", "")),
        ] {
            assert_eq!(Place::parse(word).expect(word), place);
        }
        for word in [":x", "a/b/c:x"] {
            let error = Place::parse(word).expect_err(word).to_string();
            assert_eq!(error, "filespec must match the canonical format: [[namespace/]pod:]file/path");
        }
    }
}
