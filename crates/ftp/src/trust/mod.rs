//! Whether the server is the one that is meant: decided once for each connection, when the server has proved which key it
//! holds, and before anything is said to it.
//!
//! `--trust SHA256:…` names the key. Else what `known_hosts` has for the host and port rules; else a certificate that is valid
//! by the system's roots is accepted, and not recorded; else the key is trusted on first use, as `--trust` says.

mod certificate;
mod known_hosts;
mod place;
mod verdict;
mod words;

use proto::Fingerprint;
use rustls::pki_types::CertificateDer;
use tokio::task::spawn_blocking;

pub(crate) use known_hosts::KnownHosts;
pub(crate) use place::Place;
pub(crate) use verdict::Mode;

use known_hosts::{Entry, Unrecorded};
use verdict::{Case, Public, Verdict, verdict};

use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::terminal;

/// What a user trusts.
#[derive(Debug)]
pub(crate) struct Trust {
    mode: Mode,
    file: KnownHosts,
    /// The key that this run accepted, in case it could not be recorded.
    accepted: Option<Fingerprint>,
}

/// What is known of a server before it is met.
#[derive(Debug)]
pub(crate) struct Known {
    entries: Vec<Entry>,
}

/// What a server has shown.
#[derive(Debug)]
pub(crate) struct Offer {
    /// Its certificates, its own first; it has proved that it holds the key in that one.
    pub(crate) certificates: Vec<CertificateDer<'static>>,
    /// The connection leads to a loopback address.
    pub(crate) loopback: bool,
}

/// How a server came to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judged {
    AtOnce,
    /// A person was asked, for whom the server may not have waited.
    ByAPerson,
}

impl Trust {
    pub(crate) fn new(mode: Mode, file: KnownHosts) -> Trust {
        Trust { mode, file, accepted: None }
    }

    /// What is known of `place`.
    ///
    /// # Errors
    /// If `known_hosts` cannot be read. Where the key is named, nobody looks.
    pub(crate) async fn look_up(&self, place: &Place) -> Result<Known, Failure> {
        if matches!(self.mode, Mode::Pin(_)) {
            return Ok(Known { entries: Vec::new() });
        }
        let (file, of) = (self.file.clone(), place.clone());
        let mut entries = on_thread(move || file.look_up(&of)).await?;
        if entries.is_empty() {
            entries.extend(self.accepted.map(|fingerprint| Entry { fingerprint, line: None }));
        }
        Ok(Known { entries })
    }

    /// Whether only a server with a key will do: one is named, or was met at that place before.
    pub(crate) fn expects_a_key(&self, known: &Known) -> bool {
        matches!(self.mode, Mode::Pin(_)) || !known.entries.is_empty()
    }

    /// Decides about the server at `place`; a person may be asked, and the key be recorded.
    ///
    /// # Errors
    /// [`Code::ServerKey`] if it is not to be trusted.
    pub(crate) async fn judge(
        &mut self,
        place: &Place,
        known: &Known,
        offer: Offer,
        output: &Output,
    ) -> Result<Judged, Failure> {
        let offered = offer.certificates.first().and_then(Fingerprint::of);
        let offered = offered.ok_or_else(|| {
            Failure::new(Code::ServerKey, format!("the certificate of {place} cannot be read"))
        })?;
        let keys: Vec<_> = known.entries.iter().map(|entry| entry.fingerprint).collect();
        let mut case = Case {
            mode: self.mode,
            known: &keys,
            offered,
            public: Public::NotLooked,
            loopback: offer.loopback,
            terminal: terminal::is_there(),
        };
        if verdict(&case) == Verdict::LookAtRoots {
            case.public = look_at_roots(place, offer.certificates).await;
        }
        match verdict(&case) {
            Verdict::Accept => Ok(Judged::AtOnce),
            Verdict::Record => {
                self.record(place, offered).await?;
                output.say(&format!(
                    "the key of {place} was not known, and is recorded in {} now: {offered}",
                    self.file.name()
                ));
                Ok(Judged::AtOnce)
            }
            Verdict::Ask => {
                if !is_accepted(place, offered).await? {
                    return Err(words::declined(place));
                }
                self.accept(place, offered, output).await?;
                Ok(Judged::ByAPerson)
            }
            Verdict::Unknown | Verdict::LookAtRoots => Err(words::unknown(place, offered, &self.file)),
            Verdict::Changed => Err(words::changed(place, &known.entries, offered, &self.file)),
            Verdict::NotPinned => match self.mode {
                Mode::Pin(pinned) => Err(words::not_pinned(place, pinned, offered)),
                Mode::Ask | Mode::New => Err(words::unknown(place, offered, &self.file)),
            },
        }
    }

    /// Records what a person accepted. If that fails it is accepted all the same, and asked again next time.
    async fn accept(&mut self, place: &Place, offered: Fingerprint, output: &Output) -> Result<(), Failure> {
        self.accepted = Some(offered);
        match self.write(place, offered).await {
            Ok(()) => output.say(&format!("recorded in {}", self.file.name())),
            Err(Unrecorded::Failed(failure)) => output.warn(&format!("{failure}. You will be asked again")),
            Err(Unrecorded::Changed(entries)) => {
                return Err(words::changed(place, &entries, offered, &self.file));
            }
        }
        Ok(())
    }

    /// Records what nobody was asked about: where that fails, every key would be as good as any other.
    async fn record(&mut self, place: &Place, offered: Fingerprint) -> Result<(), Failure> {
        match self.write(place, offered).await {
            Ok(()) => Ok(()),
            Err(Unrecorded::Failed(failure)) => Err(failure.with_remedy(format!(
                "A key that cannot be recorded is trusted only when it is named; nothing was sent. Mend the file, or use \
                 --trust {offered}"
            ))),
            Err(Unrecorded::Changed(entries)) => Err(words::changed(place, &entries, offered, &self.file)),
        }
    }

    async fn write(&self, place: &Place, offered: Fingerprint) -> Result<(), Unrecorded> {
        let (file, place) = (self.file.clone(), place.clone());
        on_thread(move || file.record(&place, offered)).await
    }
}

async fn look_at_roots(place: &Place, certificates: Vec<CertificateDer<'static>>) -> Public {
    let Some(name) = place.server_name() else { return Public::Invalid };
    match on_thread(move || certificate::is_public(&certificates, &name)).await {
        true => Public::Valid,
        false => Public::Invalid,
    }
}

/// Asks, until there is an answer.
async fn is_accepted(place: &Place, offered: Fingerprint) -> Result<bool, Failure> {
    let mut question = words::question(place, offered);
    loop {
        let Some(answer) = terminal::ask_line(question).await? else { return Ok(false) };
        match answer.to_ascii_lowercase().as_str() {
            "yes" => return Ok(true),
            "no" | "n" => return Ok(false),
            _ => {}
        }
        if let Ok(fingerprint) = answer.parse::<Fingerprint>() {
            return Ok(fingerprint == offered);
        }
        question = "Type yes, no, or the fingerprint: ".to_owned();
    }
}

/// Does what may block on a disk where that is allowed.
async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(work).await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}
