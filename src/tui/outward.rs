//! Output on its way out of the console: into files, through programs, to the clipboard.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::fs::OpenOptions;
use tokio::process::Command as Process;

use super::event::Through;
use super::term::Screen;
use super::whole::Whole;
use crate::command::line;
use crate::daemon::client::Reach;
use crate::view::count::{Noun, counted};
use crate::view::span;

/// Text that is longer goes into a file: terminals cut what is copied through them (k9s has the same bound).
const LONGEST_COPY: usize = 74 << 10;

/// Copies text; what a terminal would cut goes into a file.
pub(super) async fn copy(text: &str) -> io::Result<Result<String, String>> {
    if text.len() > LONGEST_COPY {
        Ok(into_file(text.as_bytes()))
    } else {
        Ok(Ok(copied(text).await?))
    }
}

pub(super) async fn save(reach: &Reach, whole: &Whole, file: &Path) -> Result<String, String> {
    let cannot = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let other = free_name(file, |path| path.symlink_metadata().is_ok());
            let save = line::shown(&["save".to_string(), other.display().to_string()]);
            format!(
                "{} is there already; `:{save}` would be new",
                file.display()
            )
        }
        _ => format!("cannot write {}: {error}", file.display()),
    };
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .await;
    let mut to = tokio::io::BufWriter::new(opened.map_err(cannot)?);
    let written = whole
        .write(reach, &mut to)
        .await
        .map_err(|why| format!("{}: {why}", file.display()))?;
    let dropped = match written.dropped {
        0 => String::new(),
        bytes => format!(" ({} had been cut out before)", span::bytes(bytes)),
    };
    Ok(format!(
        "saved {} to {}{dropped}",
        span::bytes(written.bytes),
        file.display()
    ))
}

/// `88.big-2.csv` beside `88.big.csv`, or the next one that is not there.
fn free_name(file: &Path, is_there: impl Fn(&Path) -> bool) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let ending = file.extension().map_or_else(String::new, |ending| {
        format!(".{}", ending.to_string_lossy())
    });
    let numbered = |n: u32| file.with_file_name(format!("{stem}-{n}{ending}"));
    (2..=u32::MAX)
        .map(numbered)
        .find(|path| !is_there(path))
        .unwrap_or_else(|| file.to_path_buf())
}

/// Runs `line` with the output on its standard input.
pub(super) async fn pipe(
    reach: &Reach,
    whole: &Whole,
    line: &str,
    through: &Through,
) -> Result<String, String> {
    // Keys meant for it must not end us.
    let mut child = Process::new("sh")
        .arg("-c")
        .arg(line)
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{line}: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever has read enough closes its end: that is no error.
        _ = whole.write(reach, &mut stdin).await;
    }
    let status = child
        .wait()
        .await
        .map_err(|error| format!("{line}: {error}"))?;
    match through {
        Through::Pager => Ok(String::new()),
        Through::Command(_) => {
            wait_for_enter().await;
            Ok(format!("{line}: {status}"))
        }
    }
}

/// What a command printed stays until somebody has read it.
#[expect(
    clippy::print_stderr,
    reason = "the terminal is not the console's just now"
)]
async fn wait_for_enter() {
    eprint!("\n[enter goes back to regatta] ");
    _ = tokio::task::spawn_blocking(|| io::stdin().read_line(&mut String::new())).await;
}

/// Output to be copied.
pub(super) enum Fetched {
    Text(String),
    /// It is too much, and where it is now.
    InFile(String),
}

pub(super) async fn fetched(reach: &Reach, whole: &Whole) -> Result<Fetched, String> {
    let cannot = |error: io::Error| format!("cannot write a file for what is copied: {error}");
    let file = file_to_copy().map_err(cannot)?;
    let mut to = tokio::fs::File::from_std(file.reopen().map_err(cannot)?);
    let written = whole.write(reach, &mut to).await?;
    if written.bytes > LONGEST_COPY as u64 {
        return kept(file, written.bytes).map(Fetched::InFile);
    }
    let bytes = tokio::fs::read(file.path()).await.map_err(cannot)?;
    Ok(Fetched::Text(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Where text goes that is copied, until it is known how much it is.
fn file_to_copy() -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new()
        .prefix("regatta-copy-")
        .suffix(".txt")
        .tempfile()
}

/// Into a file of its own, because terminals would cut it.
fn into_file(text: &[u8]) -> Result<String, String> {
    use std::io::Write as _;
    let written = file_to_copy().and_then(|mut file| file.write_all(text).map(|()| file));
    let file =
        written.map_err(|error| format!("cannot write a file for what is copied: {error}"))?;
    kept(file, text.len() as u64)
}

fn kept(file: tempfile::NamedTempFile, bytes: u64) -> Result<String, String> {
    let (_, path) = file.keep().map_err(|error| error.to_string())?;
    let size = span::bytes(bytes);
    Ok(format!(
        "{size} is too much for a clipboard: it is in {}, and stays there",
        path.display()
    ))
}

/// Copies with the desktop's own tool where there is one and the terminal is here, else through the terminal.
async fn copied(text: &str) -> io::Result<String> {
    let lines = text.lines().count();
    let size = span::bytes(text.len() as u64);
    let what = format!("copied {}, {size}", counted(lines, Noun::Line));
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if !set("SSH_TTY") && !set("SSH_CONNECTION") {
        let tools: [(&str, &[&str], &str); 3] = [
            ("wl-copy", &[], "WAYLAND_DISPLAY"),
            ("xclip", &["-selection", "clipboard"], "DISPLAY"),
            ("pbcopy", &[], "__CF_USER_TEXT_ENCODING"),
        ];
        for (tool, arguments, variable) in tools {
            if set(variable) && give(tool, arguments, text).await.is_ok() {
                return Ok(format!("{what} with {tool}"));
            }
        }
    }
    Screen::copy(text)?;
    Ok(format!("{what} through the terminal (OSC 52)"))
}

async fn give(tool: &str, arguments: &[&str], text: &str) -> io::Result<()> {
    use tokio::io::AsyncWriteExt as _;
    let mut child = Process::new(tool)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(text.as_bytes()).await?;
    }
    let status = child.wait().await?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other("it failed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_proposed_that_is_not_there() {
        let free = |there: &[&str]| {
            let is_there = |path: &Path| there.iter().any(|name| path == Path::new(name));
            free_name(Path::new("/d/88.big.csv"), is_there)
        };
        assert_eq!(free(&[]), Path::new("/d/88.big-2.csv"));
        let there = ["/d/88.big-2.csv", "/d/88.big-3.csv"];
        assert_eq!(free(&there), Path::new("/d/88.big-4.csv"));
        assert_eq!(free_name(Path::new("/d/x"), |_| false), Path::new("/d/x-2"));
    }
}
