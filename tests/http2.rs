//! Abuse of HTTP/2: a client that breaks the rules, or keeps them in bad faith, is bounded
//! or sent away, and everybody else is answered meanwhile. Frames are written by hand, as
//! no client would send them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use common::operators::{ask, free_address, value_of};
use common::{Desk, LEAD, SECOND, document, ingest};
use copydesk::client::Client;
use copydesk::proto::v1 as pb;
use flate2::Compression;
use flate2::write::GzEncoder;

// Frames (RFC 9113, section 6), flags, and error codes (section 7).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const CANCEL: u32 = 8;
const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

/// Calls on a connection (`src/server/transport.rs`).
const STREAMS: u32 = 1_024;

const INFO: &str = "/copydesk.v1.AdminService/GetServerInfo";
const LIST: &str = "/copydesk.v1.CorpusService/ListDocuments";

/// A frame that came in.
#[derive(Debug)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Frame {
    /// The code of a frame that resets or ends something.
    fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}

/// A connection whose frames are written by hand.
struct Raw(TcpStream);

impl Raw {
    /// Says hello, and waits until the server has told how much it takes.
    fn connect(desk: &Desk, initial_window: u32) -> Self {
        let mut raw = Self(TcpStream::connect(&desk.address).unwrap());
        raw.0.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        let window = [&4_u16.to_be_bytes()[..], &initial_window.to_be_bytes()].concat();
        hello.extend(frame(SETTINGS, 0, 0, &window));
        raw.send(&hello);
        raw.until(|frame| frame.kind == WINDOW_UPDATE && frame.stream == 0).unwrap();
        // Only from now on its windows are as it said (RFC 9113, section 6.5.3).
        raw.send(&frame(SETTINGS, ACK, 0, &[]));
        raw
    }

    /// Writes, unless the server has hung up already.
    fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes);
    }

    /// The next frame; `None` once the connection is closed.
    fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.read(&mut head)?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        self.read(&mut payload)?;
        let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    fn read(&mut self, bytes: &mut [u8]) -> Option<()> {
        match self.0.read_exact(bytes) {
            Ok(()) => Some(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("nothing comes"),
            Err(_) => None,
        }
    }

    /// The next frame of a kind; `None` if the connection is closed before.
    fn until(&mut self, mut is_it: impl FnMut(&Frame) -> bool) -> Option<Frame> {
        loop {
            let frame = self.next()?;
            if is_it(&frame) {
                return Some(frame);
            }
        }
    }

    /// The code that the server sends the client away with.
    fn sent_away(&mut self) -> Option<u32> {
        self.until(|frame| frame.kind == GOAWAY).map(|frame| frame.code())
    }

    /// Whether a proper call is refused. Of an answer, the headers come, as they are not
    /// subject to flow control; of a refusal, all of it.
    fn is_refused(&mut self, stream: u32, path: &str) -> bool {
        self.send(&call(stream, path, &[]));
        self.until(|frame| frame.stream == stream).unwrap().flags & END_STREAM != 0
    }

    /// Whether a proper call is answered on this connection.
    fn is_answered(&mut self, stream: u32) -> bool {
        self.send(&call(stream, INFO, &[]));
        let ends = |frame: &Frame| frame.stream == stream && frame.flags & END_STREAM != 0;
        self.until(ends).is_some_and(|frame| frame.kind == HEADERS)
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// A string as HPACK has it (RFC 7541, section 5.2), not compressed.
fn string(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    match text.len() {
        short @ 0..127 => bytes.push(u8::try_from(short).unwrap()),
        long => {
            bytes.push(127);
            let mut rest = long - 127;
            while rest >= 128 {
                bytes.push(u8::try_from(rest % 128).unwrap() | 128);
                rest /= 128;
            }
            bytes.push(u8::try_from(rest).unwrap());
        }
    }
    bytes.extend(text.as_bytes());
    bytes
}

/// A header that is not kept (RFC 7541, section 6.2.2).
fn header(name: &str, value: &str) -> Vec<u8> {
    [vec![0], string(name), string(value)].concat()
}

/// The headers of a call: POST, http, then what HPACK has no whole entry for.
fn head(path: &str) -> Vec<u8> {
    let own = [vec![0x83, 0x86, 0x04], string(path), vec![0x01], string("desk")].concat();
    [own, header("content-type", "application/grpc"), header("te", "trailers")].concat()
}

/// The frames of a call with an empty message.
fn call(stream: u32, path: &str, more: &[u8]) -> Vec<u8> {
    let headers = frame(HEADERS, END_HEADERS, stream, &[&head(path), more].concat());
    [headers, frame(DATA, END_STREAM, stream, &[0; 5])].concat()
}

/// Numbers of streams as a client gives them.
fn streams(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|index| 2 * index + 1)
}

/// Resident memory of the server, in bytes.
fn memory(desk: &Desk) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", desk.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_taken_back_at_once_send_the_client_away() {
    let mut desk = Desk::open().await;
    let mut raw = Raw::connect(&desk, 65_535);
    let rapid = streams(1_000).flat_map(|stream| {
        let opened = frame(HEADERS, END_HEADERS, stream, &head(INFO));
        [opened, frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes())].concat()
    });
    raw.send(&rapid.collect::<Vec<u8>>());
    assert_eq!(raw.sent_away(), Some(ENHANCE_YOUR_CALM));
    desk.info().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_the_server_is_made_to_take_back_send_the_client_away() {
    let mut desk = Desk::open().await;
    let mut raw = Raw::connect(&desk, 65_535);
    let broken = streams(1_000).flat_map(|stream| {
        // More than was announced is an error of its call (RFC 9113, section 8.1.1).
        let head = [head(INFO), header("content-length", "0")].concat();
        let opened = frame(HEADERS, END_HEADERS, stream, &head);
        [opened, frame(DATA, 0, stream, &[0])].concat()
    });
    raw.send(&broken.collect::<Vec<u8>>());
    assert_eq!(raw.sent_away(), Some(ENHANCE_YOUR_CALM));
    desk.info().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_are_bounded_as_sent_and_as_unpacked() {
    let mut desk = Desk::open().await;
    let before = memory(&desk);

    // 15 KB are enough for anybody, 17 KB are refused by themselves.
    let mut raw = Raw::connect(&desk, 65_535);
    let few = header("x", &"x".repeat(15_000));
    raw.send(&call(1, INFO, &few));
    let answered = raw.until(|frame| frame.stream == 1).unwrap();
    assert_eq!((answered.kind, answered.flags & END_STREAM), (HEADERS, 0));
    raw.until(|frame| frame.stream == 1 && frame.flags & END_STREAM != 0).unwrap();
    let many = [few, header("y", &"y".repeat(2_000))].concat();
    let (first, second) = many.split_at(10_000);
    raw.send(&frame(HEADERS, END_STREAM, 3, &[&head(INFO), first].concat()));
    raw.send(&frame(CONTINUATION, END_HEADERS, 3, second));
    let refused = raw.until(|frame| frame.stream == 3).unwrap();
    assert_ne!(refused.flags & END_STREAM, 0, "{refused:?}");
    assert!(raw.is_answered(5));

    // An entry that is kept once and named a thousand times: 4 KB unpack to 3 MB.
    let kept = [vec![0x40], string("x"), string(&"x".repeat(3_000))].concat();
    let bomb = [kept, vec![0x80 | 62; 1_000]].concat();
    raw.send(&call(7, INFO, &bomb));
    let refused = raw.until(|frame| frame.stream == 7 || frame.kind == GOAWAY);
    assert!(refused.is_none_or(|frame| frame.flags & END_STREAM != 0 || frame.kind != HEADERS));

    // Headers without an end.
    let mut raw = Raw::connect(&desk, 65_535);
    raw.send(&frame(HEADERS, 0, 1, &head(INFO)));
    let more = frame(CONTINUATION, 0, 1, &header("x", &"x".repeat(10_000)));
    raw.send(&more.repeat(2_000));
    assert!(raw.sent_away().is_none_or(|code| code != 0));

    assert!(memory(&desk) < before + (32 << 20), "{before} {}", memory(&desk));
    desk.info().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_compressed_is_refused_and_not_unpacked() {
    let mut desk = Desk::open().await;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![0; 200 << 20]).unwrap();
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 250 << 10);
    let before = memory(&desk);
    let mut raw = Raw::connect(&desk, 65_535);
    let headers = [head(LIST), header("grpc-encoding", "gzip")].concat();
    raw.send(&frame(HEADERS, END_HEADERS, 1, &headers));
    let length = u32::try_from(bomb.len()).unwrap().to_be_bytes();
    let message = [&[1], &length[..], &bomb].concat();
    let mut frames: Vec<u8> = Vec::new();
    message.chunks(16_384).for_each(|chunk| frames.extend(frame(DATA, 0, 1, chunk)));
    frames.extend(frame(DATA, END_STREAM, 1, &[]));
    raw.send(&frames);
    // Headers that are the end, too: a refusal.
    let refused = raw.until(|frame| frame.stream == 1 && frame.kind == HEADERS).unwrap();
    assert_ne!(refused.flags & END_STREAM, 0, "{refused:?}");
    assert!(memory(&desk) < before + (32 << 20), "{before} {}", memory(&desk));
    desk.info().await;
}

/// Documents whose list is an answer of 200 KB.
async fn fill(desk: &mut Desk) {
    for index in 0..50 {
        let document = pb::Document {
            title: "long ".repeat(800),
            ..document(&format!("document-{index}"), &[LEAD, SECOND])
        };
        desk.ingest(ingest(document)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_clients_take_no_answers_there_is_room_for_another() {
    let mut desk = Desk::open().await;
    fill(&mut desk).await;
    let before = memory(&desk);
    let mut silent = Vec::new();
    for _ in 0..6 {
        let mut raw = Raw::connect(&desk, 0);
        let mut calls = streams(STREAMS);
        assert!(calls.any(|stream| raw.is_refused(stream, LIST)));
        // Each leaves some of what was left to it.
        let first = calls.next().unwrap() / 2 - 1;
        silent.push((raw, first));
    }
    let taken: Vec<u32> = silent.iter().map(|(_, taken)| *taken).collect();
    assert!(taken.is_sorted_by(|a, b| a > b) && taken[5] > 50, "{taken:?}");
    // A quarter of what is held for all, 256 MiB, is left.
    let held = memory(&desk).saturating_sub(before);
    assert!(held < 400 << 20, "{held} bytes");
    let mut other = Client::connect(&desk.address).await.unwrap();
    let request = pb::ListDocumentsRequest { page_size: 50, ..Default::default() };
    let listed = other.corpus.list_documents(request).await.unwrap().into_inner();
    assert_eq!(listed.documents.len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_never_end_are_bounded_and_hold_up_nobody() {
    const CALLS: u32 = 400;
    const PART: usize = 200_000;
    let folder = tempfile::tempdir().unwrap();
    let admin = free_address();
    let mut desk = Desk::with(folder.path(), &["--admin", &admin]).await;
    let held = || value_of(&ask(&admin, "/metrics").1, "copydesk_client_bytes").unwrap();
    let mut raw = Raw::connect(&desk, 65_535);
    // What may be sent on the connection (`src/server/transport.rs`).
    let mut window = 1_u64 << 20;
    let mut is_refused = false;
    for stream in streams(CALLS) {
        if is_refused {
            break;
        }
        raw.send(&frame(HEADERS, END_HEADERS, stream, &head(LIST)));
        // Four million bytes are announced, and a few of them sent.
        let message = [&[0][..], &4_000_000_u32.to_be_bytes(), &vec![0; PART]].concat();
        for part in message.chunks(16_000) {
            while window < part.len() as u64 {
                let frame = raw.next().unwrap();
                match (frame.kind, frame.stream) {
                    (WINDOW_UPDATE, 0) => window += u64::from(frame.code()),
                    (HEADERS, _) => is_refused = true,
                    _ => {}
                }
            }
            window -= part.len() as u64;
            raw.send(&frame(DATA, 0, stream, part));
        }
    }
    assert!(is_refused);
    // A fifth of what there is for all.
    let limits = desk.info().await.limits.unwrap();
    let most = limits.max_held_bytes as f64 / 5.0;
    let now = held();
    assert!((most * 0.9..=most).contains(&now), "{now}");
    desk.put("a", &[LEAD]).await;
    assert_eq!(desk.copies_of(LEAD).await, ["a#0"]);
    drop(raw);
    while held() > 0.0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_no_answers_holds_up_nobody_else() {
    let mut desk = Desk::open().await;
    fill(&mut desk).await;
    let before = memory(&desk);
    // Not a byte of an answer fits, and they are of 200 KB.
    let mut raw = Raw::connect(&desk, 0);
    let refused = streams(STREAMS).filter(|stream| raw.is_refused(*stream, LIST)).count();
    let refused = u32::try_from(refused).unwrap();
    // 51 MiB of them wait.
    assert!((700..1_000).contains(&refused), "{refused}");
    let held = memory(&desk).saturating_sub(before);
    assert!(held < 192 << 20, "{held} bytes");
    // What was refused is over; the others are as many calls as there can be, with more.
    for stream in streams(STREAMS + refused + 1).skip(STREAMS as usize) {
        raw.send(&frame(HEADERS, END_HEADERS, stream, &head(LIST)));
    }
    let last = 2 * (STREAMS + refused) + 1;
    let over = raw.until(|frame| frame.stream == last).unwrap();
    assert_eq!((over.kind, over.code()), (RST_STREAM, REFUSED_STREAM));

    for index in 0..20 {
        assert_eq!(desk.copies_of(LEAD).await.len(), 50);
        desk.put(&format!("later-{index}"), &[SECOND]).await;
    }
    // A byte at a time, which is as slow as it is allowed to be.
    for _ in 0..2_000 {
        raw.send(&frame(WINDOW_UPDATE, 0, 1, &1_u32.to_be_bytes()));
    }
    desk.info().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_connects_and_says_nothing_is_let_go_and_keeps_nobody_out() {
    // With files for 144 connections.
    let mut few = Command::new("sh");
    few.args(["-c", r#"ulimit -n 400 && exec "$0" "$@""#, env!("CARGO_BIN_EXE_copydesk")]);
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::run(few, folder.path(), &[]).await;
    let mut silent: Vec<TcpStream> =
        (0..200).map(|_| TcpStream::connect(&desk.address).unwrap()).collect();
    desk.put("a", &[LEAD]).await;
    // Waits until the first of them are gone.
    let mut late = Client::connect(&desk.address).await.unwrap();
    late.admin.get_server_info(pb::GetServerInfoRequest {}).await.unwrap();
    let first = &mut silent[0];
    first.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    // The server's own first words may come before the end.
    first.read_to_end(&mut Vec::new()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_gone_without_a_word_is_let_go() {
    let mut desk = Desk::open().await;
    // It said hello and asked something, and answers nothing from then on, not even pings:
    // what is left of a connection whose other end lost its power.
    let mut raw = Raw::connect(&desk, 65_535);
    assert!(raw.is_answered(1));
    assert!(raw.until(|frame| frame.kind == PING && frame.flags & ACK == 0).is_some());
    while raw.next().is_some() {}
    desk.info().await;
}
