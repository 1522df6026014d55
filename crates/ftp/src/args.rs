//! The command line of `ftp` itself; what stands behind the target is a command and is left alone.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use digest::Algorithm;

use crate::remote::{Learnt, Links, Settings};
use crate::trust::Mode;

/// Move files to and from a server: every byte verified, every file whole or not there.
#[derive(Debug, Parser)]
#[command(name = "ftp", version, after_help = AFTER_HELP, max_term_width = 100)]
#[command(override_usage = "ftp [OPTIONS] [USER@]HOST[:PORT]\n       \
                            ftp [OPTIONS] [USER@]HOST[:PORT] COMMAND [ARG]...\n       \
                            ftp [OPTIONS] [USER@]HOST[:PORT] -b FILE\n       \
                            ftp [OPTIONS] ftp://[USER@]HOST[:PORT][/DIRECTORY] [COMMAND [ARG]...]\n       \
                            ftp [OPTIONS] ftps://[USER@]HOST[:PORT][/DIRECTORY] [COMMAND [ARG]...]")]
pub struct Arguments {
    #[arg(value_name = "[USER@]HOST[:PORT]", help = TARGET_HELP)]
    pub(crate) target: String,

    /// A command and its arguments, as at the prompt; without one, the prompt
    #[arg(value_name = "COMMAND", trailing_var_arg = true)]
    pub(crate) command: Vec<OsString>,

    /// Do the commands in FILE, one a line; - reads standard input
    ///
    /// Blank lines and lines that begin with # are skipped. The first failure ends the batch, unless its line begins
    /// with -.
    #[arg(short, long = "batch", value_name = "FILE", conflicts_with = "command")]
    pub(crate) batch: Option<PathBuf>,

    /// The digest that verifies every transfer
    #[arg(long, value_name = "md5|blake3", default_value = "md5")]
    pub(crate) digest: Algorithm,

    /// Read the password from the first line of FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,

    /// Speak without TLS, to a plain server on a wire that you trust
    ///
    /// Password and files travel in the clear, and nothing proves who the server is. Without this, a plain server is
    /// refused; with it, one that speaks TLS. A classic server on this computer may be plain without it.
    #[arg(long)]
    pub(crate) plain: bool,

    /// What becomes of symbolic links in trees
    ///
    /// skip: leave them out. follow: move what they lead to, in their place. copy: make them anew as links, if they stay in
    /// the tree; one that leads out of it is told and left out.
    #[arg(long, value_name = "skip|follow|copy", default_value = "copy")]
    pub(crate) links: Links,

    /// No receipts and no progress: only results and failures
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Write results as JSON, one object a line
    ///
    /// Each file that get, put, mget, mput and sync move is an object as soon as it is in its place, and so is each that could not be
    /// moved; the last one of a tree has the totals. ls, stat, md5 and pwd tell theirs as objects, too. Failures are told on
    /// standard error as ever, and the exit codes are the same.
    #[arg(long)]
    pub(crate) json: bool,

    /// What to do about a server whose key is not known yet
    ///
    /// ask: ask at the terminal; without one, record the key of a server on this computer (a loopback address), and
    /// refuse any other. new: record it. SHA256:…: trust this key and no other, and record nothing. A key that has
    /// changed is always refused, unless it is named so.
    #[arg(long, value_name = "ask|new|SHA256:…", default_value = "ask", conflicts_with = "plain")]
    pub(crate) trust: Mode,

    /// Give up when nothing has moved for so long
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout: u64,

    /// How often to connect again when a connection is lost in a transfer
    ///
    /// A file of 1 MiB or more then goes on where it stopped. Tries are counted anew once something more has come through; the
    /// waits between them grow from 0.2 to 5 seconds.
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u32).range(0..=1_000))]
    pub(crate) retries: u32,

    /// Over how many connections to move trees and large files
    ///
    /// The others are let in by the first one: no second password is asked for or sent. Trees, mget, mput and sync spread their files
    /// over them, get and put the parts of one file from 64 MiB on. More than one pays where a link has delay or loses packets, and
    /// for one file on many cores. Without this, trees take one; a file from 64 MiB on takes one on up to two cores, else half as
    /// many as there are cores, four at the most. Where the server lets in fewer, the work goes on with those. Classic servers are
    /// always asked over one.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=16))]
    pub(crate) parallel: Option<u8>,
}

const TARGET_HELP: &str = "The server; its port is 10600 unless you name one. An IPv6 address stands in brackets: [::1]:10600. ftp:// is a classic \
     server (port 21), ftps:// one inside TLS (port 990); without a user you are anonymous there";

const AFTER_HELP: &str = "\
Password: --password-file, else the variable FTP_PASSWORD, else you are asked at the terminal.

Server keys: a key that is known is in ~/.local/share/ftp/known_hosts ($XDG_DATA_HOME/ftp/known_hosts), or in the file
that FTP_KNOWN_HOSTS names; a line is HOST:PORT SHA256:…, and # begins a comment. What stands there for a host and port
rules; without, a certificate that is valid by the system's roots is accepted, and --trust decides about any other.

Classic servers seldom have digests: a receipt says verified only where one was compared. TLS is used wherever they can.

Commands that are piped into ftp without -b are all done, whatever fails.

Exit codes: 0 done, 1 other, 2 usage, 3 no connection, 4 login, 5 server key, 6 not found, 7 denied,
8 not verified, 9 part of a batch failed, 10 disk or quota.

Examples:
  ftp alice@nas
  ftp alice@nas get big.iso
  ftp alice@nas put 'my notes.txt' notes/
  ftp alice@nas rm -- -odd-name
  ftp ftp://ftp.example.org/pub get README
  ftp alice@nas help";

impl Arguments {
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            digest: self.digest,
            timeout: Duration::from_secs(self.timeout),
            retries: self.retries,
            parallel: self.parallel.map(usize::from),
            learnt: Learnt::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(["ftp"].into_iter().chain(line.split(' ')))
    }

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_dashes_of_a_command_are_its_own() {
        for (line, command) in [
            ("nas", &[][..]),
            ("nas ls -la", &["ls", "-la"]),
            ("nas ls -q --timeout 5", &["ls", "-q", "--timeout", "5"]),
            ("nas rm -- -x", &["rm", "--", "-x"]),
            ("--quiet nas rm -- --quiet", &["rm", "--", "--quiet"]),
            ("nas help", &["help"]),
            ("nas get --help", &["get", "--help"]),
            ("-- nas rm -- -x", &["rm", "--", "-x"]),
        ] {
            let arguments = parse(line).unwrap();
            assert_eq!(
                (arguments.target.as_str(), arguments.command.as_slice()),
                ("nas", &command.iter().map(OsString::from).collect::<Vec<_>>()[..]),
                "{line}"
            );
        }
    }

    #[test]
    fn options_stand_before_the_target_or_right_behind_it() {
        for line in ["-q -b f --digest blake3 --timeout 5 nas", "nas -q -b f --digest blake3 --timeout 5"] {
            let arguments = parse(line).unwrap();
            assert!(arguments.quiet);
            assert_eq!(arguments.batch, Some("f".into()));
            let settings = arguments.settings();
            assert_eq!((settings.digest, settings.timeout), (Algorithm::Blake3, Duration::from_secs(5)));
        }
        assert_eq!(parse("nas -b -").unwrap().batch, Some("-".into()));
        let settings = parse("nas --plain").unwrap().settings();
        assert_eq!((settings.digest, settings.timeout), (Algorithm::Md5, Duration::from_secs(60)));
        assert_eq!(settings.parallel, None);
        assert_eq!(parse("--parallel 16 nas").unwrap().settings().parallel, Some(16));
    }

    #[test]
    fn misuse_is_exit_code_2_and_help_is_0() {
        for line in [
            "--plain --trust new nas",
            "--trust yes nas",
            "--trust SHA256:AAAA nas",
            "--nonsense nas",
            "nas --nonsense",
            "nas -b f ls",
            "--digest sha1 nas",
            "--timeout 0 nas",
            "--parallel 0 nas",
            "--parallel 17 nas",
            "-q",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
        for line in ["--help", "--version"] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 0, "{line}");
        }
    }
}
