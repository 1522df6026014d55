//! The command line.

use std::path::PathBuf;

use clap::{Args as Arguments, Parser, Subcommand, ValueEnum};

use crate::config::{Access, Size};
use crate::logs::Format;

/// The file that is read when none is named.
pub const CONFIG: &str = "users.toml";

/// A small, safe, fast file server. Without a command it serves.
#[derive(Debug, Parser)]
#[command(name = "ftpd", version)]
pub struct Args {
    /// The file that says who may log in and where to listen.
    #[arg(long, value_name = "FILE", default_value = CONFIG, global = true)]
    pub config: PathBuf,

    /// Where log lines are added, instead of standard error; opened again on SIGHUP.
    #[arg(long, value_name = "FILE", global = true)]
    pub log_file: Option<PathBuf>,

    /// How log lines are written; RUST_LOG says which.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text", global = true)]
    pub log_format: Format,

    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do instead of serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read the file, test homes and ports, say what is wrong; serve nothing.
    Check,
    /// Say who may log in.
    #[command(subcommand)]
    User(User),
}

/// The commands that read and edit the users.
#[derive(Debug, Subcommand)]
pub enum User {
    /// Add a user, and make the file if there is none.
    Add(Add),
    /// Change a user's password.
    Passwd {
        /// The user's name.
        name: String,
        /// Where the new one comes from.
        #[command(flatten)]
        password: Password,
    },
    /// Remove a user; the home stays as it is.
    Remove {
        /// The user's name.
        name: String,
    },
    /// Show every user with access, home and quota.
    List,
}

/// The user that `user add` adds.
#[derive(Debug, Arguments)]
pub struct Add {
    /// 1 to 64 letters, digits, ".", "_", "-" and "@".
    pub name: String,
    /// The directory to see; relative to the users file, made when missing.
    #[arg(long, value_name = "DIR")]
    pub home: String,
    /// What may be done there.
    #[arg(long, value_enum, default_value = "read")]
    pub access: Access,
    /// The most that the home may hold, such as "10 GiB".
    #[arg(long, value_name = "SIZE")]
    pub quota: Option<Size>,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: Password,
}

/// Where a new password comes from; a hidden prompt if nothing is said.
#[derive(Clone, Copy, Debug, Arguments)]
pub struct Password {
    /// Read the password from the first line of standard input instead of asking for it.
    #[arg(long = "password-stdin")]
    pub stdin: bool,
}

impl ValueEnum for Access {
    fn value_variants<'a>() -> &'a [Access] {
        &Access::ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.name()).help(match self {
            Access::Read => "see and fetch",
            Access::Write => "everything",
            Access::Drop => "upload only, see nothing",
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }

    #[test]
    fn serving_is_what_is_done_unless_something_else_is_said() {
        let args = Args::try_parse_from(["ftpd"]).unwrap();
        assert_eq!((args.config, args.log_format), (PathBuf::from("users.toml"), Format::Text));
        assert!(args.command.is_none());
    }

    #[test]
    fn options_stand_before_or_after_the_command() {
        for line in ["ftpd --config a.toml check", "ftpd check --config a.toml"] {
            let args = Args::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(args.config, PathBuf::from("a.toml"));
            assert!(matches!(args.command, Some(Command::Check)));
        }
    }

    #[test]
    fn mistakes_end_with_code_2() {
        for line in [
            "ftpd user add",
            "ftpd user add bob",
            "ftpd user add bob --home h --access all",
            "ftpd user add bob --home h --quota much",
            "ftpd user add bob --home h --quota 0",
            "ftpd user passwd",
            "ftpd serve",
            "ftpd --log-format xml",
        ] {
            assert_eq!(Args::try_parse_from(line.split(' ')).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
