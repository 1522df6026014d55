//! The commands of the classic door, and what they carry.

use std::net::SocketAddr;
use std::ops::Range;

use secrecy::SecretString;
use store::Time;

/// How file data is written on the wire (RFC 959, 3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// `A`: lines end with CRLF on the wire.
    Ascii,
    /// `I`: bytes as they are.
    Image,
}

/// Which addresses EPSV is to listen at (RFC 2428, 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// That of the control connection.
    Same,
    V4,
    V6,
}

/// How a directory is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// LIST: a line for people, as `ls -l`.
    Long,
    /// NLST: names.
    Names,
    /// MLSD: facts for programs (RFC 3659, 7).
    Facts,
}

/// What LIST and NLST are asked to do more, as `ls` is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// `-l`: the long form.
    pub(super) long: bool,
    /// `-R`: directories below, too.
    pub(super) recursive: bool,
}

/// A digest that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Md5,
    Sha256,
}

impl Hash {
    pub(super) const ALL: [Hash; 2] = [Hash::Md5, Hash::Sha256];

    /// Its name in IANA's registry of hash function text names, in upper case as HASH has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Hash::Md5 => "MD5",
            Hash::Sha256 => "SHA-256",
        }
    }
}

/// What a file is stored over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Store {
    /// STOR.
    Replace,
    /// APPE.
    Append,
    /// STOU: under a name that nothing has.
    Unique,
}

/// One command, well-formed.
#[derive(Debug)]
pub(super) enum Command {
    User(Vec<u8>),
    Pass(SecretString),
    Acct,
    Rein,
    Quit,
    Noop,
    Help,
    SiteHelp,
    Syst,
    Feat,
    Utf8,
    /// OPTS MLST: nothing to choose from.
    MlstFacts,
    /// OPTS HASH; `None` asks which.
    UseHash(Option<Hash>),
    /// STAT without a path: about the session, or the transfer that runs.
    Status,
    /// STAT with one: a listing on the control connection.
    StatusOf(Vec<u8>),
    Chmod(u32, Vec<u8>),
    Clnt,
    Host,
    Lang,
    Allo(u64),
    Type(Type),
    /// MODE S and STRU F: as it is.
    AsItIs,
    Port(SocketAddr),
    Pasv,
    Epsv(Family),
    EpsvAll,
    Retr(Vec<u8>),
    Stor(Store, Vec<u8>),
    Rest(u64),
    /// RANG: the bytes of the next RETR or HASH; `None` for all.
    Rang(Option<Range<u64>>),
    Abor,
    Dele(Vec<u8>),
    Mkd(Vec<u8>),
    Rmd(Vec<u8>),
    Pwd,
    Cwd(Vec<u8>),
    Cdup,
    Rnfr(Vec<u8>),
    Rnto(Vec<u8>),
    List(Form, Options, Vec<u8>),
    Mlst(Vec<u8>),
    Size(Vec<u8>),
    Mdtm(Vec<u8>),
    /// MFMT and SITE UTIME.
    Mfmt(Time, Vec<u8>),
    Avbl(Vec<u8>),
    /// HASH, with the digest chosen before.
    Hash(Vec<u8>),
    /// XMD5 and XSHA256.
    HashAs(Hash, Vec<u8>),
    Auth,
    Pbsz,
    /// PROT P, or C.
    Prot(bool),
    Ccc,
}

impl Command {
    /// What the log calls it: a word of the native door where there is one, so that both doors are told alike. `None` for what
    /// only prepares something.
    pub(super) fn verb(&self) -> Option<&'static str> {
        Some(match self {
            Command::Pass(_) => "login",
            Command::Retr(_) => "get",
            Command::Stor(..) => "put",
            Command::List(..) | Command::StatusOf(_) => "list",
            Command::Mlst(_) | Command::Size(_) | Command::Mdtm(_) => "stat",
            Command::Cwd(_) => "cd",
            Command::Cdup => "cdup",
            Command::Dele(_) => "remove",
            Command::Mkd(_) => "mkdir",
            Command::Rmd(_) => "rmdir",
            Command::Rnto(_) => "rename",
            Command::Chmod(..) | Command::Mfmt(..) => "set-attributes",
            Command::Hash(_) | Command::HashAs(..) => "hash",
            Command::Avbl(_) => "available",
            _ => return None,
        })
    }

    /// The path that it is about; empty where there is none.
    pub(super) fn path(&self) -> &[u8] {
        match self {
            Command::Retr(path)
            | Command::Stor(_, path)
            | Command::List(_, _, path)
            | Command::StatusOf(path)
            | Command::Mlst(path)
            | Command::Size(path)
            | Command::Mdtm(path)
            | Command::Cwd(path)
            | Command::Dele(path)
            | Command::Mkd(path)
            | Command::Rmd(path)
            | Command::Rnfr(path)
            | Command::Rnto(path)
            | Command::Chmod(_, path)
            | Command::Mfmt(_, path)
            | Command::Avbl(path)
            | Command::Hash(path)
            | Command::HashAs(_, path) => path,
            _ => b"",
        }
    }
}
