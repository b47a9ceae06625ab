//! Who gets in: tokens and their rights, TLS in both directions, and that both are read
//! anew; what is refused before the port opens; what logs hold.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Output};
use std::time::Duration;

use common::{LEAD, OTHER, SECOND, document, ingest, program, start};
use copydesk::client::{Client, ConnectError, Credentials, Identity};
use copydesk::proto::DESCRIPTORS;
use copydesk::proto::v1 as pb;
use copydesk::proto::v1::ingest_documents_response::Outcome;
use prost_reflect::DescriptorPool;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;
use tonic::client::Grpc;
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Extensions, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_prost::ProstCodec;
use tonic_types::StatusExt;

const RIGHTS: [&str; 3] = ["read", "write", "admin"];

/// A server with a folder for its files, and the log of what it said.
struct Server {
    child: Child,
    address: String,
    folder: TempDir,
}

impl Server {
    /// Starts it with `options`, in which `@` stands for the folder.
    fn start(folder: TempDir, options: &[&str]) -> Self {
        let at = format!("{}/", folder.path().display());
        let options: Vec<String> = options.iter().map(|option| option.replace('@', &at)).collect();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let mut program = program();
        program.stderr(fs::File::create(folder.path().join("log")).unwrap());
        let started = start(program, &folder.path().join("data"), &options);
        let (child, address) = started.expect("a server that is ready");
        Self { child, address, folder }
    }

    /// With tokens, of each right one.
    fn with_tokens() -> (Self, [String; 3]) {
        let (folder, tokens) = folder_with_tokens();
        (Self::start(folder, &["--tokens", "@tokens"]), tokens)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }

    /// Waits until the log says so: files are looked at once a second.
    async fn says(&self, what: &str, times: usize) {
        for _ in 0..600 {
            if self.log().matches(what).count() >= times {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{what:?} is not in the log: {}", self.log());
    }

    async fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    async fn client(&self, token: &str) -> Client {
        let credentials = Credentials { token: Some(token.parse().unwrap()), ..Default::default() };
        Client::connect_with(&self.address, &credentials).await.unwrap()
    }

    /// Calls the program, as a client of this server.
    fn run(&self, token: &str, arguments: &[&str]) -> Output {
        let mut program = program();
        program.env("COPYDESK_TOKEN", token).args(arguments).output().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A token, and the line of the tokens file.
fn new_token(right: &str) -> (String, String) {
    let output =
        program().args(["token", "new", "--json", "--right", right, "--name", "x"]).output();
    let made: serde_json::Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let text = |key: &str| made[key].as_str().unwrap().to_owned();
    (text("token"), text("line"))
}

fn folder_with_tokens() -> (TempDir, [String; 3]) {
    let folder = tempfile::tempdir().unwrap();
    let made = RIGHTS.map(new_token);
    let lines: Vec<&str> = made.iter().map(|(_, line)| line.as_str()).collect();
    fs::write(folder.path().join("tokens"), lines.join("\n")).unwrap();
    (folder, made.map(|(token, _)| token))
}

/// Sends one empty message to a method, whatever it is, and returns what becomes of it.
async fn call(channel: &Channel, path: &str, token: Option<&str>) -> Code {
    let mut metadata = MetadataMap::new();
    if let Some(token) = token {
        metadata.insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let mut client = Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let message = tokio_stream::iter([()]);
    let request = Request::from_parts(metadata, Extensions::default(), message);
    let codec: ProstCodec<(), ()> = ProstCodec::default();
    let answered = client.streaming(request, path.parse().unwrap(), codec).await;
    let answered = match answered {
        Ok(answers) => answers.into_inner().message().await.map(|_| ()),
        Err(status) => Err(status),
    };
    answered.map_or_else(|status| status.code(), |()| Code::Ok)
}

/// The right that each call needs, 0 for reading to 2 for everything. A call that is new
/// belongs here.
fn needed(name: &str) -> usize {
    match name {
        "AdminService/GetServerInfo"
        // A stream may hold what only validates; each of its documents is looked at.
        | "CorpusService/IngestDocuments"
        | "CorpusService/GetDocument"
        | "CorpusService/BatchGetDocuments"
        | "CorpusService/ListDocuments"
        | "CorpusService/FetchPage"
        | "SimilarityService/FindDuplicates"
        | "SimilarityService/FindRelatedPassages"
        | "SimilarityService/FindRelatedDocuments"
        | "SimilarityService/CompareDocuments"
        | "SimilarityService/WatchRelatedDocuments"
        | "SimilarityService/MapDocuments"
        | "StoryService/GetStory"
        | "StoryService/ListStories" => 0,
        "CorpusService/IngestDocument"
        | "CorpusService/DeleteDocument"
        | "CorpusService/SetVerdict" => 1,
        "CorpusService/DeleteDocuments"
        | "CorpusService/ExportDocuments"
        | "AdminService/CreateSnapshot"
        | "AdminService/CompactIndex"
        | "AdminService/Reembed" => 2,
        name => panic!("{name} is not in this test: which right does it need?"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_takes_a_token_with_its_right() {
    let (server, tokens) = Server::with_tokens();
    let channel = server.channel().await;
    let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
    let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let ours = methods.filter(|method| method.full_name().starts_with("copydesk."));
    let mut count = 0;
    for method in ours {
        count += 1;
        let name = format!("{}/{}", method.parent_service().name(), method.name());
        let path = format!("/copydesk.v1.{name}");
        for wrong in [None, Some(""), Some("copydesk_guess"), Some(&tokens[0][..50])] {
            assert_eq!(call(&channel, &path, wrong).await, Code::Unauthenticated, "{name}");
        }
        for (held, token) in tokens.iter().enumerate() {
            let is_let_in = call(&channel, &path, Some(token)).await != Code::PermissionDenied;
            assert_eq!(is_let_in, held >= needed(&name), "{name} with {}", RIGHTS[held]);
        }
    }
    assert!(count >= 20, "{count}");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_open_and_nothing_else() {
    let (server, [read, ..]) = Server::with_tokens();
    let channel = server.channel().await;
    let health = HealthClient::new(channel.clone()).check(HealthCheckRequest::default()).await;
    assert_eq!(health.unwrap().into_inner().status, 1);
    for version in ["v1", "v1alpha"] {
        let path = format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
        assert_eq!(call(&channel, &path, None).await, Code::Unauthenticated);
        assert_ne!(call(&channel, &path, Some(&read)).await, Code::Unauthenticated);
    }
    assert_eq!(call(&channel, "/no.Such/Thing", None).await, Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_validates_documents_and_stores_none() {
    let (server, [read, write, _]) = Server::with_tokens();
    let mut reader = server.client(&read).await;
    let stored = ingest(document("a", &[LEAD, SECOND]));
    let validated = pb::IngestDocumentRequest { validate_only: true, ..stored.clone() };

    let answer = reader.corpus.ingest_document(validated.clone()).await.unwrap().into_inner();
    assert_eq!(answer.outcome(), pb::IngestOutcome::Validated);
    let refused = reader.corpus.ingest_document(stored.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let (said, wanted) = (refused.message(), r#"the right "write", and yours has "read""#);
    assert!(said.contains(wanted), "{said}");
    assert_eq!(refused.get_error_details().error_info().unwrap().reason, "TOO_FEW_RIGHTS");

    // In a stream each document is looked at by itself.
    let requests = [("1", validated.clone()), ("2", stored.clone()), ("3", validated)].map(
        |(request_id, request)| pb::IngestDocumentsRequest {
            request_id: request_id.to_owned(),
            ingest: Some(request),
        },
    );
    let answers = reader.corpus.ingest_documents(tokio_stream::iter(requests)).await;
    let mut answers = answers.unwrap().into_inner();
    let mut outcomes = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        outcomes.push(match answer.outcome.unwrap() {
            Outcome::Result(result) => result.outcome().as_str_name().to_owned(),
            Outcome::Error(error) => format!("{} {}", error.code, error.reason),
        });
    }
    let validated = "INGEST_OUTCOME_VALIDATED";
    assert_eq!(outcomes, [validated, "7 TOO_FEW_RIGHTS", validated]);
    let info = reader.admin.get_server_info(pb::GetServerInfoRequest {}).await.unwrap();
    assert_eq!(info.into_inner().corpus.unwrap().document_count, 0);

    let mut writer = server.client(&write).await;
    let answer = writer.corpus.ingest_document(stored).await.unwrap().into_inner();
    assert_eq!(answer.outcome(), pb::IngestOutcome::Created);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_read_anew_and_what_is_taken_away_ends() {
    let (server, [read, write, admin]) = Server::with_tokens();
    let mut reader = server.client(&read).await;
    let mut writer = server.client(&write).await;
    let query = pb::watch_related_documents_request::Query::Text(LEAD.to_owned());
    let request = pb::WatchRelatedDocumentsRequest { query: Some(query), ..Default::default() };
    let mut watched =
        reader.similarity.watch_related_documents(request).await.unwrap().into_inner();
    writer.corpus.ingest_document(ingest(document("a", &[LEAD]))).await.unwrap();
    let first = watched.message().await.unwrap().unwrap();
    assert_eq!(first.document.unwrap().document.unwrap().document_id, "a");

    // A file that is broken leaves what was.
    let before = fs::read_to_string(server.path("tokens")).unwrap();
    fs::write(server.path("tokens"), format!("{before}\nwrte 12")).unwrap();
    server.says("tokens stay as they were", 1).await;
    assert!(server.log().contains("line 4: does not begin with a right"), "{}", server.log());
    writer.corpus.ingest_document(ingest(document("b", &[OTHER]))).await.unwrap();

    // The reader is out, somebody else is in.
    let (new, line) = new_token("read");
    let kept = before.lines().filter(|line| !line.starts_with("read"));
    let lines: Vec<&str> = kept.chain([line.as_str()]).collect();
    fs::write(server.path("tokens"), lines.join("\n")).unwrap();
    server.says("tokens were read anew", 1).await;
    let list = || pb::ListDocumentsRequest::default();
    let refused = reader.corpus.list_documents(list()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    server.client(&new).await.corpus.list_documents(list()).await.unwrap();
    server.client(&admin).await.corpus.list_documents(list()).await.unwrap();

    // What the reader had opened before tells nothing any more.
    let later = [LEAD, SECOND];
    writer.corpus.ingest_document(ingest(document("c", &later))).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(60), watched.message()).await.unwrap();
    let ended: Status = ended.unwrap_err();
    assert_eq!(ended.code(), Code::Unauthenticated, "{ended}");
}

/// An authority that signs certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Writes its own certificate.
    fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, self.0.pem()).unwrap();
        path
    }

    /// Writes a certificate for this machine, and its key.
    fn sign(&self, folder: &Path, name: &str) -> Identity {
        let params = CertificateParams::new(["127.0.0.1".to_owned(), "localhost".to_owned()]);
        let key = KeyPair::generate().unwrap();
        let certificate = params.unwrap().signed_by(&key, &self.0).unwrap();
        let path = |ending: &str| folder.join(format!("{name}.{ending}"));
        fs::write(path("pem"), certificate.pem()).unwrap();
        fs::write(path("key"), key.serialize_pem()).unwrap();
        Identity { certificate: path("pem"), key: path("key") }
    }
}

const TLS: [&str; 4] = ["--tls-cert", "@server.pem", "--tls-key", "@server.key"];

fn trusting(authority: PathBuf, identity: Option<Identity>) -> Credentials {
    Credentials { authority: Some(authority), identity, ..Default::default() }
}

/// Connects and asks something: a refusal of our certificate may come that late.
async fn ask(address: &str, credentials: &Credentials) -> Result<Client, String> {
    let client = Client::connect_with(&format!("https://{address}"), credentials).await;
    let mut client = client.map_err(|error| error.to_string())?;
    let answer = client.admin.get_server_info(pb::GetServerInfoRequest {}).await;
    answer.map_err(|status| format!("{status:?}"))?;
    Ok(client)
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_read_anew_for_new_connections() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let old_ca = trusting(old.write(folder.path(), "old"), None);
    let new_ca = trusting(new.write(folder.path(), "new"), None);
    old.sign(folder.path(), "server");
    let server = Server::start(folder, &TLS);

    let mut before = ask(&server.address, &old_ca).await.unwrap();
    let error = ask(&server.address, &new_ca).await.unwrap_err();
    assert!(error.contains("UnknownIssuer"), "{error}");
    // Without TLS nobody is understood, and nobody tells a certificate to such a server.
    let mut plain = Client::connect(&server.address).await.unwrap();
    plain.admin.get_server_info(pb::GetServerInfoRequest {}).await.unwrap_err();
    let unmeant = Client::connect_with(&format!("http://{}", server.address), &old_ca).await;
    assert!(matches!(unmeant, Err(ConnectError::NoTls(_))), "{unmeant:?}");

    // A certificate without its key is not taken, both are.
    let replaced = new.sign(server.folder.path(), "next");
    fs::rename(replaced.certificate, server.path("server.pem")).unwrap();
    server.says("certificates stay as they were", 1).await;
    ask(&server.address, &old_ca).await.unwrap();
    fs::rename(replaced.key, server.path("server.key")).unwrap();
    server.says("certificates were read anew", 1).await;
    ask(&server.address, &new_ca).await.unwrap();
    let error = ask(&server.address, &old_ca).await.unwrap_err();
    assert!(error.contains("UnknownIssuer"), "{error}");
    before.admin.get_server_info(pb::GetServerInfoRequest {}).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn with_mutual_tls_a_client_needs_a_certificate_of_the_authority() {
    let (folder, [read, ..]) = folder_with_tokens();
    let [ours, theirs, other] = ["ours", "theirs", "other"].map(Authority::new);
    let ca = ours.write(folder.path(), "ca");
    theirs.write(folder.path(), "clients");
    ours.sign(folder.path(), "server");
    let (good, bad) = (theirs.sign(folder.path(), "good"), other.sign(folder.path(), "bad"));
    let clients = ["--tls-client-ca", "@clients", "--tokens", "@tokens"];
    let options = [&TLS[..], &clients, &["--log", "copydesk=debug"]].concat();
    let server = Server::start(folder, &options);

    for identity in [None, Some(bad.clone())] {
        ask(&server.address, &trusting(ca.clone(), identity)).await.unwrap_err();
    }
    server.says("a connection was not accepted error=peer sent no certificates", 1).await;
    server.says("a connection was not accepted error=invalid peer certificate", 1).await;
    // A certificate does not stand for a token.
    let tokenless = ask(&server.address, &trusting(ca.clone(), Some(good.clone()))).await;
    assert!(tokenless.unwrap_err().contains("takes calls with a token only"));
    let all = Credentials {
        token: Some(read.parse().unwrap()),
        ..trusting(ca.clone(), Some(good.clone()))
    };
    ask(&server.address, &all).await.unwrap();

    // The same by the command line.
    let address = format!("https://{}", server.address);
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let shown = ["--client-cert", &text(&good.certificate), "--client-key", &text(&good.key)];
    let rest = ["info", "--server", &address, "--tls-ca", &text(&ca)];
    let info = server.run(&read, &[&rest[..], &shown].concat());
    assert!(info.status.success(), "{}", err(&info));
    let half = server.run(&read, &[&rest[..], &shown[..2]].concat());
    assert!(err(&half).contains("--client-cert and --client-key go together"), "{}", err(&half));
    let bare = server.run(&read, &rest);
    assert!(err(&bare).contains("the connection to the server failed"), "{}", err(&bare));
    let public = server.run(&read, &["info", "--server", &address]);
    let said = err(&public);
    assert!(said.contains("UnknownIssuer") && said.contains("with --tls-ca"), "{said}");

    // Another authority takes the place of this one, without a restart.
    other.write(server.folder.path(), "clients");
    server.says("certificates were read anew", 1).await;
    ask(&server.address, &Credentials { identity: Some(bad), ..all.clone() }).await.unwrap();
    ask(&server.address, &all).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_its_token_to_nobody_but_the_server() {
    let (server, [read, write, _]) = Server::with_tokens();
    let file = server.path("a.txt");
    fs::write(&file, format!("{LEAD}\n{SECOND}")).unwrap();
    let file = file.to_str().unwrap();
    let ingest = ["--server", &server.address, "ingest", file];
    assert!(server.run(&write, &ingest).status.success());
    let list = ["list", "--server", &server.address];
    assert!(server.run(&read, &list).status.success());
    let flag = [&list[..], &["--token", &read]].concat();
    assert!(server.run("", &flag).status.success());

    let few = server.run(&read, &ingest);
    assert!(err(&few).contains(r#"takes a token with the right "write""#), "{}", err(&few));
    let none = server.run("", &list);
    assert!(err(&none).contains("takes calls with a token only"), "{}", err(&none));
    let unknown = server.run("copydesk_x", &list);
    assert!(err(&unknown).contains("none that this server knows"), "{}", err(&unknown));
    let odd = server.run("a\nb", &list);
    assert!(err(&odd).contains("has characters that no token has"), "{}", err(&odd));

    let settings = server.path("config.toml");
    fs::write(&settings, format!("token = {write:?}")).unwrap();
    let with_settings = ["--config", settings.to_str().unwrap()];
    let by_file = program().args(with_settings).args(ingest).output().unwrap();
    assert!(by_file.status.success(), "{}", err(&by_file));
    for arguments in [&["info", "--help"][..], &["serve", "--help"], &["info", "--nonsense"]] {
        let shown = server.run(&read, &[&with_settings[..], arguments].concat());
        let shown = format!("{}{}", String::from_utf8_lossy(&shown.stdout), err(&shown));
        assert!(shown.len() > 100 && !shown.contains(&read) && !shown.contains(&write), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_hold_neither_tokens_nor_articles() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("ours");
    let ca = authority.write(folder.path(), "ca");
    authority.sign(folder.path(), "server");
    let (token, line) = new_token("write");
    fs::write(folder.path().join("tokens"), line).unwrap();
    let options = [&TLS[..], &["--tokens", "@tokens", "--log", "trace"]].concat();
    let server = Server::start(folder, &options);
    let unknown = "copydesk_notatokenofthisserver";
    let client = async |token: &str| {
        let token = Some(token.parse().unwrap());
        let credentials = Credentials { token, ..trusting(ca.clone(), None) };
        Client::connect_with(&server.address, &credentials).await.unwrap()
    };

    let article = document("a", &[LEAD, SECOND, OTHER]);
    let mut writer = client(&token).await;
    writer.corpus.ingest_document(ingest(article.clone())).await.unwrap();
    let copy = pb::Document { document_id: "b".to_owned(), ..article };
    writer.corpus.ingest_document(ingest(copy.clone())).await.unwrap();
    let query = pb::find_duplicates_request::Query::Text(SECOND.to_owned());
    let question = pb::FindDuplicatesRequest { query: Some(query), ..Default::default() };
    writer.similarity.find_duplicates(question).await.unwrap();
    let forbidden = writer.corpus.delete_documents(pb::DeleteDocumentsRequest::default()).await;
    assert_eq!(forbidden.unwrap_err().code(), Code::PermissionDenied);
    // Two bodies at once are refused, with words of ours.
    let twice = pb::Document { text: Some(OTHER.to_owned()), ..copy };
    assert!(writer.corpus.ingest_document(ingest(twice)).await.is_err());
    let mut stranger = client(unknown).await;
    let refused = stranger.admin.get_server_info(pb::GetServerInfoRequest {}).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);

    let log = server.log();
    assert!(log.contains("DEBUG") && log.contains("TRACE") && log.len() > 10_000, "{log}");
    let words = ["key interest rate", "proved more stubborn", "northern harbour"];
    for secret in [token.as_str(), &token[9..], unknown].into_iter().chain(words) {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}

/// What a server says that ends before its port opens.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let at = format!("{}/", folder.display());
    let arguments = arguments.iter().map(|argument| argument.replace('@', &at));
    let mut program = program();
    program.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.join("data"));
    let output = program.args(arguments).output().unwrap();
    assert!(!output.status.success());
    assert!(output.stdout.is_empty(), "it listened before it failed");
    assert!(!folder.join("data").exists());
    err(&output)
}

#[test]
fn settings_that_cannot_be_used_are_found_before_the_port_opens() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let authority = Authority::new("ours");
    authority.sign(folder.path(), "server");
    authority.sign(folder.path(), "other");
    write("empty", "");
    write("right", "wrte 00");
    write("hash", "write 00");
    for (arguments, expected) in [
        (&["--tokens", "@none"][..], &["--tokens: ", "none cannot be read", "name a file"][..]),
        (&["--tokens", "@"], &["--tokens: ", "cannot be read"]),
        (&["--tokens", "@empty"], &["--tokens: ", "holds no token", "copydesk token new"]),
        (&["--tokens", "@right"], &["--tokens: ", "line 1: ", "give read, write or admin"]),
        (&["--tokens", "@hash"], &["--tokens: ", "line 1: ", "64 hex digits"]),
        (&["--tls-cert", "@server.pem"], &["--tls-cert and --tls-key go together"]),
        (&["--tls-client-ca", "@server.pem"], &["--tls-client-ca takes TLS", "--tls-key"]),
        (&["--tls-cert", "@none", "--tls-key", "@server.key"], &["--tls-cert: ", "cannot be read"]),
        (&["--tls-cert", "@server.pem", "--tls-key", "@none"], &["--tls-key: ", "cannot be read"]),
        (
            &["--tls-cert", "@server.pem", "--tls-key", "@empty"],
            &["--tls-key: ", "give a private key in PEM"],
        ),
        (
            &["--tls-cert", "@empty", "--tls-key", "@server.key"],
            &["--tls-cert: ", "holds no certificate in PEM"],
        ),
        (
            &["--tls-cert", "@server.pem", "--tls-key", "@other.key"],
            &["--tls-cert: ", "KeyMismatch"],
        ),
        (
            &[&TLS[..], &["--tls-client-ca", "@server.key"]].concat(),
            &["--tls-client-ca: ", "holds no certificate in PEM"],
        ),
    ] {
        let said = refused(folder.path(), arguments);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(expected.iter().all(|part| said.contains(part)), "{arguments:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_loopback_a_server_that_is_open_to_anybody_is_refused_unless_forced() {
    let anywhere = ["--listen", "0.0.0.0:0"];
    let folder = tempfile::tempdir().unwrap();
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let said = refused(folder.path(), &["--listen", listen]);
        assert!(said.contains("anybody could reach") && said.contains("--tokens"), "{said}");
    }
    let (folder, [read, ..]) = folder_with_tokens();
    // Tokens do not close the port of operators' tools.
    for admin in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let said = refused(folder.path(), &["--tokens", "@tokens", "--admin", admin]);
        assert!(said.contains(admin) && said.contains("--admin asks for nothing"), "{said}");
    }
    let server = Server::start(folder, &[&anywhere[..], &["--tokens", "@tokens"]].concat());
    assert!(server.log().contains("can be read on their way"), "{}", server.log());
    let port = server.address.parse::<SocketAddr>().unwrap().port();
    let listed = server.run(&read, &["list", "--server", &format!("127.0.0.1:{port}")]);
    assert!(listed.status.success(), "{}", err(&listed));
    drop(server);
    let folder = tempfile::tempdir().unwrap();
    let forced = [&anywhere[..], &["--admin", "0.0.0.0:0", "--allow-anybody"]].concat();
    let server = Server::start(folder, &forced);
    assert!(server.log().contains("may do anything"), "{}", server.log());
}
