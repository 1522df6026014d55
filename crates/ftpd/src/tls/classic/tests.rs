//! Clients of either version, who resume on data connections what they began on a control connection.

use rustls::client::{ClientSessionMemoryCache, Resumption as Resuming, Tls12Resumption};
use rustls::pki_types::ServerName;
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, ProtocolVersion, RootCertStore, ServerConnection,
};
use tempfile::TempDir;

use super::*;
use crate::config::Config;
use crate::tls::Tls;

const FULL: HandshakeKind = HandshakeKind::Full;
const RESUMED: HandshakeKind = HandshakeKind::Resumed;

fn identity() -> (TempDir, Identity) {
    let directory = tempfile::tempdir().unwrap();
    let text = "[classic]\nlisten = [\"127.0.0.1:0\"]";
    let config = Config::parse(&directory.path().join("users.toml"), text).unwrap();
    let identity = Identity::load(&config).unwrap().unwrap();
    (directory, identity)
}

/// A server, and a client that knows it and speaks one version.
fn setting(version: &'static SupportedProtocolVersion, resuming: Resuming) -> (Tls, Arc<ClientConfig>) {
    let (_directory, identity) = identity();
    let mut roots = RootCertStore::empty();
    roots.add(identity.chain[0].clone()).unwrap();
    (Tls::new(identity).unwrap(), client(version, roots, resuming))
}

fn client(
    version: &'static SupportedProtocolVersion,
    roots: RootCertStore,
    resuming: Resuming,
) -> Arc<ClientConfig> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = resuming;
    Arc::new(config)
}

/// Sessions as rustls keeps them: each ticket of TLS 1.3 is shown once.
fn as_usual() -> Resuming {
    Resuming::store(Arc::new(ClientSessionMemoryCache::new(8)))
}

/// How a connection came about.
#[derive(Debug)]
struct Made {
    kind: HandshakeKind,
    version: ProtocolVersion,
    suite: CipherSuite,
    /// Records for the client after its handshake, tickets among them.
    behind: usize,
}

/// A connection of `client` to `server`.
fn connect(server: &Arc<ServerConfig>, client: &Arc<ClientConfig>) -> Made {
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(client.clone(), name).unwrap();
    let mut server = ServerConnection::new(server.clone()).unwrap();
    let mut behind = 0;
    while client.wants_write() || server.wants_write() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut sent = wire.as_slice();
        while !sent.is_empty() {
            server.read_tls(&mut sent).unwrap();
            server.process_new_packets().unwrap();
        }
        let was_done = !client.is_handshaking();
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        behind += if was_done { wire.len() } else { 0 };
        let mut sent = wire.as_slice();
        while !sent.is_empty() {
            client.read_tls(&mut sent).unwrap();
            client.process_new_packets().unwrap();
        }
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Made {
        kind: server.handshake_kind().unwrap(),
        version: server.protocol_version().unwrap(),
        suite: server.negotiated_cipher_suite().unwrap().suite(),
        behind,
    }
}

#[test]
fn data_connections_resume_the_session_of_their_control_connection() {
    let ids = || as_usual().tls12_resumption(Tls12Resumption::SessionIdOnly);
    for (version, resuming) in [(&TLS13, as_usual()), (&TLS12, as_usual()), (&TLS12, ids())] {
        let (tls, client) = setting(version, resuming);
        let ClassicTls { control, data } = tls.classic();
        let first = connect(&control, &client);
        assert_eq!((first.kind, first.version), (FULL, version.version));
        // How often a client shows what it has is its own business: in TLS 1.3, each ticket once.
        for _ in 0..if version.version == ProtocolVersion::TLSv1_2 { 5 } else { TICKETS } {
            let made = connect(&data, &client);
            assert_eq!((made.kind, made.version), (RESUMED, version.version));
            assert_eq!(made.suite, first.suite);
        }
    }
}

#[test]
fn only_control_connections_send_tickets_after_the_handshake() {
    let (tls, client) = setting(&TLS13, as_usual());
    let ClassicTls { control, data } = tls.classic();
    assert_ne!(connect(&control, &client).behind, 0);
    assert_eq!(connect(&data, &client).behind, 0, "resumed");
    let mut stranger = ClientConfig::clone(&client);
    stranger.resumption = as_usual();
    let made = connect(&data, &Arc::new(stranger));
    assert_eq!((made.kind, made.behind), (FULL, 0));
}

#[test]
fn a_ticket_is_good_for_any_number_of_data_connections() {
    let (tls, client) = setting(&TLS13, as_usual());
    let ClassicTls { control, data } = tls.classic();
    connect(&control, &client);
    // rustls shows a ticket once. What others do who show it again begins with the same hello, as far as it matters here.
    let mut client = ClientConnection::new(client, ServerName::try_from("localhost").unwrap()).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    for _ in 0..3 {
        let mut server = ServerConnection::new(data.clone()).unwrap();
        server.read_tls(&mut hello.as_slice()).unwrap();
        server.process_new_packets().unwrap();
        assert_eq!(server.handshake_kind(), Some(RESUMED));
    }
}

/// What makes `resumption = "required"` hard on clients that keep to RFC 8446, appendix C.4.
#[test]
fn a_client_that_shows_each_ticket_once_resumes_as_often_as_it_has_tickets() {
    let (tls, client) = setting(&TLS13, as_usual());
    let ClassicTls { control, data } = tls.classic();
    connect(&control, &client);
    let kinds: Vec<HandshakeKind> = (0..=TICKETS).map(|_| connect(&data, &client).kind).collect();
    assert!(kinds[..TICKETS].iter().all(|kind| *kind == RESUMED));
    assert_eq!(kinds[TICKETS], FULL);
}

#[test]
fn no_session_resumes_what_another_began() {
    let ids = || as_usual().tls12_resumption(Tls12Resumption::SessionIdOnly);
    for (version, resuming) in [(&TLS13, as_usual()), (&TLS12, as_usual()), (&TLS12, ids())] {
        let (tls, client) = setting(version, resuming);
        let (mine, others) = (tls.classic(), tls.classic());
        connect(&mine.control, &client);
        assert_eq!(connect(&others.data, &client).kind, FULL);
        connect(&mine.control, &client);
        assert_eq!(connect(&others.control, &client).kind, FULL);
    }
}

#[test]
fn a_data_connection_brings_nothing_to_resume() {
    let ids = || as_usual().tls12_resumption(Tls12Resumption::SessionIdOnly);
    for (version, resuming) in [(&TLS13, as_usual()), (&TLS12, as_usual()), (&TLS12, ids())] {
        let (tls, client) = setting(version, resuming);
        let ClassicTls { control, data } = tls.classic();
        for _ in 0..3 {
            assert_eq!(connect(&data, &client).kind, FULL, "a stranger stays one");
        }
        assert_eq!(connect(&control, &client).kind, FULL);
    }
}

#[test]
fn a_session_outlives_the_certificate_it_began_with() {
    for version in [&TLS13, &TLS12] {
        let (tls, client) = setting(version, as_usual());
        let before = tls.classic();
        connect(&before.control, &client);
        let (_directory, other) = identity();
        let shown = other.chain.clone();
        tls.replace(Tls::new(other).unwrap());
        assert_eq!(connect(&before.data, &client).kind, RESUMED);

        let mut roots = RootCertStore::empty();
        roots.add(shown[0].clone()).unwrap();
        let newcomer = self::client(version, roots, as_usual());
        let after = tls.classic();
        assert_eq!(connect(&after.control, &newcomer).kind, FULL, "and the other certificate is taken");
        assert_eq!(connect(&after.data, &newcomer).kind, RESUMED);
    }
}

#[test]
fn another_server_resumes_nothing() {
    for version in [&TLS13, &TLS12] {
        let (directory, mine) = identity();
        let mut roots = RootCertStore::empty();
        roots.add(mine.chain[0].clone()).unwrap();
        let config =
            Config::parse(&directory.path().join("users.toml"), "[classic]\nlisten = [\"127.0.0.1:0\"]");
        let same = Identity::load(&config.unwrap()).unwrap().unwrap();
        let client = client(version, roots, as_usual());
        connect(&Tls::new(mine).unwrap().classic().control, &client);
        assert_eq!(connect(&Tls::new(same).unwrap().classic().data, &client).kind, FULL);
    }
}

#[test]
fn aes_128_is_chosen_whatever_a_client_puts_first() {
    for (version, chosen) in [
        (&TLS13, CipherSuite::TLS13_AES_128_GCM_SHA256),
        (&TLS12, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ] {
        let (tls, client) = setting(version, Resuming::disabled());
        assert_ne!(aws_lc_rs::DEFAULT_CIPHER_SUITES[0].suite(), chosen, "the client's first");
        assert_eq!(connect(&tls.classic().control, &client).suite, chosen);
    }
}

#[test]
fn who_offers_a_protocol_by_name_is_served_all_the_same() {
    let (tls, client) = setting(&TLS13, Resuming::disabled());
    let mut client = ClientConfig::clone(&client);
    client.alpn_protocols = vec![b"ftp".to_vec()];
    assert_eq!(connect(&tls.classic().control, &Arc::new(client)).kind, FULL);
}
