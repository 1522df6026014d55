//! Logs: lines as text or JSON, with times in UTC (RFC 3339); RUST_LOG chooses, `info` by default.

mod sink;

use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::time::Duration;

use store::escaped;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt as layer};

pub use sink::Sink;

/// Bytes of a user's name that a line tells: twice what the name of a real one may have.
const NAME: usize = 128;

/// Bytes of a path that a line tells: a longer one leads nowhere.
const PATH: usize = 4096;

/// Bytes that a line tells of what went wrong; a client may have put it into words.
const WORDS: usize = 1024;

/// How a log line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: one object a line.
    Json,
}

/// Sends every event of this process to `sink` from now on. Called once, at the start.
pub fn init(format: Format, sink: &Sink) {
    let terminal = sink.path().is_none() && io::stderr().is_terminal();
    let colours = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    subscriber(format, filter, colours, !sink.is_journal(), sink.clone()).init();
}

fn subscriber(
    format: Format,
    filter: EnvFilter,
    colours: bool,
    // Whoever keeps the lines may add the time.
    with_time: bool,
    writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static,
) -> Box<dyn tracing::Subscriber + Send + Sync> {
    let builder = layer().with_env_filter(filter).with_target(false).with_writer(BoxMakeWriter::new(writer));
    match (format, with_time) {
        (Format::Text, true) => Box::new(builder.with_ansi(colours).finish()),
        (Format::Text, false) => Box::new(builder.with_ansi(colours).without_time().finish()),
        (Format::Json, true) => Box::new(builder.json().flatten_event(true).finish()),
        (Format::Json, false) => Box::new(builder.json().flatten_event(true).without_time().finish()),
    }
}

/// A request that is over, as the log tells it. All stands here as it came; [`log`](Request::log) cuts it to a length that is
/// worth a line, and escapes it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The user; before a login, whoever was claimed, if anybody.
    pub who: Option<&'a str>,
    /// The peer.
    pub from: SocketAddr,
    /// What was asked for: `get`, `login`, …
    pub verb: &'static str,
    /// The name that it was asked for.
    pub path: Option<&'a [u8]>,
    /// Bytes of file data moved.
    pub bytes: u64,
    /// From the command to the reply.
    pub time: Duration,
    /// `ok`, or what was wrong.
    pub result: &'a str,
}

impl Request<'_> {
    /// Writes the line: one event `request` with the fields `who`, `from`, `verb`, `path`, `bytes`, `seconds`, `result`.
    pub fn log(&self) {
        // As strings, not by `Display`: so the text format puts them in quotes, and no name can pose as a field.
        let (who, path) = (self.who.map(name), self.path.map(|path| shown(path, PATH)));
        tracing::info!(
            who,
            from = %self.from,
            verb = self.verb,
            path,
            bytes = self.bytes,
            seconds = self.time.as_micros() as f64 / 1e6,
            result = shown(self.result.as_bytes(), WORDS),
            "request"
        );
    }
}

/// The name of a user, or what somebody claims to be one, for a log line.
pub(crate) fn name(name: &str) -> String {
    shown(name.as_bytes(), NAME)
}

/// The first `most` bytes, escaped; with an ellipsis where there are more. No character is cut in two.
fn shown(bytes: &[u8], most: usize) -> String {
    if bytes.len() <= most {
        return escaped(bytes).to_string();
    }
    let inside = |at: &usize| bytes[*at] & 0xc0 == 0x80; // of a character that began before
    let end = (most.saturating_sub(3)..=most).rev().find(|at| !inside(at)).unwrap_or(most);
    format!("{}…", escaped(&bytes[..end]))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Where a test reads what was logged.
    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines that a request makes.
    fn logged(format: Format, request: &Request<'_>) -> String {
        let captured = Captured::default();
        let writer = captured.clone();
        let subscriber = subscriber(format, EnvFilter::new("info"), false, true, move || writer.clone());
        tracing::subscriber::with_default(subscriber, || request.log());
        let bytes = captured.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    const REQUEST: Request<'_> = Request {
        who: Some("alice"),
        from: SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 4711),
        verb: "get",
        path: Some(b"/a b.txt"),
        bytes: 65_536,
        time: Duration::from_micros(1_500),
        result: "ok",
    };

    /// Cuts the time off a line, having looked at its form: RFC 3339, in UTC.
    fn without_time(line: &str, at: usize) -> String {
        let time: String =
            line[at..at + 27].chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(time, "0000-00-00T00:00:00.000000Z");
        format!("{}{}", &line[..at], &line[at + 27..])
    }

    #[test]
    fn a_request_is_one_line_with_all_its_fields() {
        let fields = r#"request who="alice" from=127.0.0.1:4711 verb="get" path="/a b.txt" bytes=65536 seconds=0.0015 result="ok""#;
        assert_eq!(without_time(&logged(Format::Text, &REQUEST), 0), format!("  INFO {fields}\n"));

        let fields = r#""message":"request","who":"alice","from":"127.0.0.1:4711","verb":"get","path":"/a b.txt","bytes":65536,"seconds":0.0015,"result":"ok""#;
        let line = without_time(&logged(Format::Json, &REQUEST), r#"{"timestamp":""#.len());
        assert_eq!(line, format!("{{\"timestamp\":\"\",\"level\":\"INFO\",{fields}}}\n"));
    }

    #[test]
    fn what_is_not_known_is_not_there() {
        for format in [Format::Text, Format::Json] {
            let line = logged(format, &Request { who: None, path: None, ..REQUEST });
            assert!(!line.contains("who") && !line.contains("path") && line.contains("bytes"), "{line}");
        }
    }

    #[test]
    fn nobody_makes_lines_long() {
        let evil = "\0".repeat(16 * 1024);
        for format in [Format::Text, Format::Json] {
            let request = Request { who: Some(&evil), path: Some(evil.as_bytes()), result: &evil, ..REQUEST };
            let line = logged(format, &request);
            let told = |bytes: usize| format!("\"{}…\"", r"\\x00".repeat(bytes));
            assert!(line.contains(&told(128)) && line.contains(&told(4096)) && line.contains(&told(1024)));
            assert!(line.len() < 6 * (128 + 4096 + 1024) + 300, "{}", line.len());
        }
        assert_eq!(name(&"é".repeat(64)), "é".repeat(64));
        assert_eq!(name(&"a".repeat(129)), format!("{}…", "a".repeat(128)));
        assert_eq!(name(&format!("a{}", "é".repeat(64))), format!("a{}…", "é".repeat(63)));
        assert_eq!(shown(&[0x80; 200], 2), r"\x80\x80…");
    }

    #[test]
    fn no_name_moves_a_cursor_ends_a_line_or_poses_as_a_field() {
        let evil = "\n2026-01-01 INFO \x1b[2J\x07\r\0\u{9b}31m\u{202e}\u{7f}\" result=\"ok";
        let path = [evil.as_bytes(), b"\xff\x80"].concat();
        for format in [Format::Text, Format::Json] {
            let line =
                logged(format, &Request { who: Some(evil), path: Some(&path), result: evil, ..REQUEST });
            let line = line.strip_suffix('\n').expect("a whole line");
            assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
            assert!(!line.contains("\" result=\"ok"), "{line:?}");
            assert!(line.contains(r"\\x1b[2J") && line.contains(r"\\xff\\x80"), "{line:?}");
        }
    }
}
