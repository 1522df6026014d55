//! `cargo demo`: serves the sample, moves files both ways as a person would, and compares every byte itself.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use e2e::{Client, Log, Ran, User, bytes};
use md5::{Digest, Md5};
use rustix::process::{Pid, Signal, kill_process};

/// What the sample says; its passwords are public.
const ADDRESS: &str = "127.0.0.1:10600";
const ALICE: User = User { name: "alice", password: "alice-demo", access: "write", quota: None };
const BOB: User = User { name: "bob", password: "bob-demo", access: "read", quota: None };

/// The directory that is made in alice's home; what an interrupted demo left there is removed first.
const DIRECTORY: &str = "cargo-demo";

/// Bytes in the large file.
const LARGE: usize = 300 * 1024 * 1024;

/// Small files that go and come in one batch.
const MANY: usize = 200;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match demo() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe demo failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn demo() -> Outcome<()> {
    println!("Building ftpd and ftp; the first time this takes a minute or two.");
    let programs = e2e::ftpd().parent().expect("programs lie in a directory").to_owned();
    let began = Instant::now();
    let demo = Demo::begin(&programs)?;
    demo.one("hello.txt", b"Hello from the other side.\n")?;
    demo.one("empty", b"")?;
    demo.one("large.bin", &bytes(LARGE, 1))?;
    demo.many()?;
    demo.reader()?;
    demo.end()?;
    println!(
        "\nAll is right, in {:.1} s, and what was made is removed. Now yourself, in two terminals:",
        began.elapsed().as_secs_f64()
    );
    let programs = programs.strip_prefix(root()).unwrap_or(&programs).display();
    println!(
        "  {programs}/ftpd --config users.toml\n  {programs}/ftp alice@localhost        (password {})",
        ALICE.password
    );
    Ok(())
}

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package lies in the repository")
}

/// A server on the sample, and a place for the client's files.
struct Demo {
    server: Child,
    made: Made,
}

impl Demo {
    fn begin(programs: &Path) -> Outcome<Demo> {
        let made = Made::fresh(programs.join(DIRECTORY))?;
        TcpListener::bind(ADDRESS).map_err(|error| {
            format!("{ADDRESS} cannot be had: {error}. Does an ftpd still run there? Stop it, and try again.")
        })?;
        println!("Serving the sample: ftpd --config users.toml");
        let mut command = Command::new(e2e::ftpd());
        command.args(["--config", "users.toml"]).current_dir(root()).env_remove("RUST_LOG");
        let mut server = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let log = Log::default();
        log.follow(server.stderr.take().expect("it is a pipe"));
        let demo = Demo { server, made };
        println!("  {}\n", log.wait_for("listening"));
        demo.ftp(ALICE, &["mkdir", DIRECTORY], "")?;
        Ok(demo)
    }

    /// Moves one file there and back.
    fn one(&self, name: &str, content: &[u8]) -> Outcome<()> {
        let (remote, copy) = (format!("{DIRECTORY}/{name}"), format!("copy of {name}"));
        fs::write(self.made.here.join(name), content)?;
        let put = self.ftp(ALICE, &["put", name, &remote], "")?;
        println!("put  {}", put.stderr.trim());
        let get = self.ftp(ALICE, &["get", &remote, &copy], "")?;
        println!("get  {}", get.stderr.trim());
        let (size, md5) =
            compare(&self.made.here.join(name), &[&self.made.there.join(name), &self.made.here.join(&copy)])?;
        let told = self.ftp(ALICE, &["md5", &remote], "")?.text();
        if !told.starts_with(&md5) {
            return Err(format!("{name}: its MD5 is {md5}, and the server says {told}").into());
        }
        println!("     the same {size} bytes here, there and back: md5 {md5}\n");
        Ok(())
    }

    /// Moves many small files there and back.
    fn many(&self) -> Outcome<()> {
        let names: Vec<String> = (0..MANY).map(|number| format!("small-{number:03}")).collect();
        let mut total = 0;
        for (number, name) in names.iter().enumerate() {
            total += number * 41;
            fs::write(self.made.here.join(name), bytes(number * 41, number as u64))?;
        }
        let lines = |line: fn(&str) -> String| names.iter().map(|name| line(name)).collect::<String>();
        let batches = [
            ("put", lines(|name| format!("put {name} {DIRECTORY}/{name}\n"))),
            ("get", lines(|name| format!("get {DIRECTORY}/{name} copy-{name}\n"))),
        ];
        for (verb, batch) in batches {
            let began = Instant::now();
            let ran = self.ftp(ALICE, &["-b", "-"], &batch)?;
            let verified = ran.stderr.lines().filter(|line| line.contains("  verified md5 ")).count();
            println!(
                "{verb}  {verified} of {MANY} small files verified, {total} bytes in {}",
                seconds(began.elapsed())
            );
            if verified != MANY {
                return Err(ran.stderr.into());
            }
        }
        for name in &names {
            compare(
                &self.made.here.join(name),
                &[&self.made.there.join(name), &self.made.here.join(format!("copy-{name}"))],
            )?;
        }
        println!("     the same {total} bytes in {MANY} files here, there and back\n");
        Ok(())
    }

    /// Tries what the sample does not allow.
    fn reader(&self) -> Outcome<()> {
        let ran = self.run(BOB, &["put", "hello.txt"], "");
        println!("bob may only read:  {}", ran.stderr.trim());
        if ran.code == 7 {
            Ok(())
        } else {
            Err(format!("that should have ended with code 7, not {}", ran.code).into())
        }
    }

    /// Stops the server.
    fn end(mut self) -> Outcome<()> {
        kill_process(Pid::from_child(&self.server), Signal::TERM)?;
        let status = self.server.wait()?;
        if status.success() { Ok(()) } else { Err(format!("the server ended with {status}").into()) }
    }

    fn run(&self, user: User, words: &[&str], input: &str) -> Ran {
        let client = Client::new(user, "localhost", &self.made.here).tls(true);
        // The key was made just now, and nobody is asked about it.
        client.option("--trust").option("new").args(words).stdin(input).run()
    }

    fn ftp(&self, user: User, words: &[&str], input: &str) -> Outcome<Ran> {
        let ran = self.run(user, words, input);
        if ran.code == 0 {
            Ok(ran)
        } else {
            Err(format!("ftp {}: code {}: {}", words.join(" "), ran.code, ran.stderr).into())
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Neither has an effect on one that has ended.
        drop((self.server.kill(), self.server.wait()));
    }
}

/// What the demo makes, and removes when it is dropped.
struct Made {
    here: PathBuf,
    there: PathBuf,
    /// Directories that were not there before, the outer ones first; kept if somebody else put something into them.
    homes: Vec<PathBuf>,
}

impl Made {
    fn fresh(here: PathBuf) -> Outcome<Made> {
        let homes = ["homes", "homes/alice", "homes/bob"].map(|home| root().join(home));
        let made = Made {
            here,
            there: root().join("homes/alice").join(DIRECTORY),
            homes: homes.into_iter().filter(|home| !home.exists()).collect(),
        };
        made.remove();
        fs::create_dir(&made.here)?;
        Ok(made)
    }

    fn remove(&self) {
        drop((fs::remove_dir_all(&self.here), fs::remove_dir_all(&self.there)));
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        self.remove();
        for home in self.homes.iter().rev() {
            drop(fs::remove_dir(home));
        }
    }
}

/// Size and MD5 of a file to which all `others` are equal; the MD5 is computed here, by none of the programs.
fn compare(file: &Path, others: &[&Path]) -> Outcome<(u64, String)> {
    let mut md5 = Md5::new();
    let mut size = 0;
    let mut files = others.iter().map(File::open).collect::<io::Result<Vec<_>>>()?;
    let mut file = File::open(file)?;
    loop {
        let piece = piece(&mut file)?;
        for (other, name) in files.iter_mut().zip(others) {
            if self::piece(other)? != piece {
                return Err(format!("{} has other bytes", name.display()).into());
            }
        }
        if piece.is_empty() {
            break;
        }
        md5.update(&piece);
        size += piece.len() as u64;
    }
    Ok((size, md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// The next MiB of a file, or what is left of it.
fn piece(file: &mut File) -> io::Result<Vec<u8>> {
    let mut piece = Vec::with_capacity(1024 * 1024);
    file.take(1024 * 1024).read_to_end(&mut piece)?;
    Ok(piece)
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
