//! A made-up classic server, in the clear, that says what a test wants.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What it says and does; the default is honest.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// Whether it knows EPSV.
    pub(super) extended: bool,
    /// The address that its answer to PASV names.
    pub(super) named: &'static str,
    /// The lines of its FEAT.
    pub(super) features: &'static str,
    /// What it says of the size of every file.
    pub(super) size: &'static str,
    /// What comes on every data connection.
    pub(super) data: Vec<u8>,
    /// What it says at the end of one.
    pub(super) end: &'static str,
    /// What it says to whatever it does not know.
    pub(super) other: &'static str,
    /// Whether data connections stay open, with nothing more to come.
    pub(super) stalls: bool,
    /// Whether its first guest is sent away after PWD.
    pub(super) tires: bool,
    /// Whether its first guest gets no data.
    pub(super) shy: bool,
}

impl Default for Script {
    fn default() -> Script {
        Script {
            extended: true,
            named: "127,0,0,1",
            features: " SIZE\r\n",
            size: "213 4",
            data: b"data".to_vec(),
            end: "226 Done",
            other: "502 What?",
            stalls: false,
            tires: false,
            shy: false,
        }
    }
}

/// It, and what it heard.
pub(super) struct Scripted {
    pub(super) address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    pub(super) fn start(script: Script) -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&heard);
        // It ends with the tests.
        thread::spawn(move || {
            for (number, connection) in listener.incoming().enumerate() {
                let (mut script, hears) = (script.clone(), Arc::clone(&hears));
                script.tires &= number == 0;
                script.shy &= number == 0;
                thread::spawn(move || drop(serve(connection.unwrap(), &script, &hears)));
            }
        });
        Scripted { address, heard }
    }

    /// The commands that came.
    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

fn serve(control: TcpStream, script: &Script, heard: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut say = control.try_clone()?;
    let mut passive = None;
    write!(say, "220 At your service\r\n")?;
    for line in BufReader::new(control).lines() {
        let line = line?;
        heard.lock().unwrap().push(line.clone());
        let answer = match line.split(' ').next().unwrap() {
            "USER" => "331 And the password?".to_owned(),
            "PASS" => "230 Welcome".to_owned(),
            "FEAT" => format!("211-Features\r\n{}211 End", script.features),
            "TYPE" | "CWD" => "200 Fine".to_owned(),
            "PWD" => "257 \"/\" is here".to_owned(),
            "SIZE" => script.size.to_owned(),
            "EPSV" if script.extended => {
                let listener = passive.insert(TcpListener::bind("127.0.0.1:0")?);
                format!("229 Passive (|||{}|)", listener.local_addr()?.port())
            }
            "PASV" => {
                let listener = passive.insert(TcpListener::bind("127.0.0.1:0")?);
                let port = listener.local_addr()?.port();
                format!("227 Passive ({},{},{})", script.named, port / 256, port % 256)
            }
            "RETR" | "LIST" | "MLSD" if passive.is_some() => {
                let (mut data, _) = passive.take().unwrap().accept()?;
                write!(say, "150 Here it comes\r\n")?;
                if script.shy {
                    write!(say, "425 Not in this session\r\n")?;
                    continue;
                }
                // Who hears a lie may hang up in its middle.
                let _heard_enough = data.write_all(&script.data);
                if script.stalls {
                    let _gone = data.read(&mut [0]);
                }
                script.end.to_owned()
            }
            _ => script.other.to_owned(),
        };
        write!(say, "{answer}\r\n")?;
        if script.tires && line == "PWD" {
            break;
        }
    }
    Ok(())
}
