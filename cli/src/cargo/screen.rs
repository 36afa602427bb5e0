//! A terminal that passes for the user's: what a command prints on it can be read on the way, and comes out as if printed on theirs.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// A terminal of our own like the one of standard output or standard error: what is printed on the second comes out of the first.
///
/// # Errors
/// There is no such terminal, or the system has none to give.
#[cfg(target_os = "linux")]
pub(super) fn like(terminal: &impl AsFd) -> io::Result<(Screen, OwnedFd)> {
    use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
    use rustix::termios::{OptionalActions, OutputModes, tcgetattr, tcsetattr};

    let terminal = File::from(terminal.as_fd().try_clone_to_owned()?);
    // Nobody's controlling terminal, so that keys and signals go on coming from the user's.
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let ours = openpt(flags)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let theirs = ioctl_tiocgptpeer(&ours, flags)?;
    let mut settings = tcgetattr(&terminal)?;
    // What is done about ends of lines is done once, by the user's.
    settings.output_modes.remove(OutputModes::OPOST);
    tcsetattr(&theirs, OptionalActions::Now, &settings)?;
    let screen = Screen { file: ours.into(), terminal };
    screen.fit()?;
    Ok((screen, theirs))
}

/// Elsewhere it is not tried.
#[cfg(not(target_os = "linux"))]
pub(super) fn like(_: &impl AsFd) -> io::Result<(File, OwnedFd)> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Where what is printed comes out.
#[cfg(target_os = "linux")]
pub(super) struct Screen {
    file: File,
    /// The user's.
    terminal: File,
}

#[cfg(target_os = "linux")]
impl Screen {
    /// Gives it the size of the user's.
    fn fit(&self) -> io::Result<()> {
        use rustix::termios::{tcgetwinsize, tcsetwinsize};
        Ok(tcsetwinsize(&self.file, tcgetwinsize(&self.terminal)?)?)
    }
}

#[cfg(target_os = "linux")]
impl io::Read for Screen {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // A window that was resized is no reason to end.
        let _ = self.fit();
        self.file.read(buffer)
    }
}
