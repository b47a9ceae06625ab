use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// The status and the text of an answer over HTTP.
pub fn ask(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split_whitespace().nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// An address on this machine that nobody listens on.
pub fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// The value of a figure, by its name and labels, if it is there.
pub fn value_of(figures: &str, name: &str) -> Option<f64> {
    let line = figures.lines().find(|line| line.starts_with(&format!("{name} ")))?;
    Some(line.rsplit(' ').next().unwrap().parse().unwrap())
}
