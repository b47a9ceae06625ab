//! A web server for a test, which answers as it is told, however wrong that is.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What a path answers.
#[derive(Clone)]
pub enum Answer {
    /// Status and header lines, and a body whose length is said.
    Whole { head: String, body: Vec<u8> },
    /// The same again; 304 if the request names this entity tag.
    Tagged { tag: String, content_type: &'static str, body: Vec<u8> },
    /// A head, and then bytes for as long as somebody reads.
    Endless { head: String },
    /// A byte now and then, for as long as somebody reads.
    Slow,
    /// The connection ends in the middle of the body.
    Cut { content_type: &'static str, body: Vec<u8> },
}

impl Answer {
    pub fn ok(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::Whole { head: format!("200 OK\r\nContent-Type: {content_type}"), body: body.into() }
    }

    pub fn rss(body: impl Into<Vec<u8>>) -> Self {
        Self::ok("application/rss+xml", body)
    }

    pub fn page(body: impl Into<Vec<u8>>) -> Self {
        Self::ok("text/html; charset=utf-8", body)
    }

    pub fn status(head: &str) -> Self {
        Self::Whole { head: head.to_owned(), body: b"no".to_vec() }
    }

    pub fn redirect(status: &str, to: &str) -> Self {
        Self::status(&format!("{status}\r\nLocation: {to}"))
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    /// By names in lower case.
    pub fields: HashMap<String, String>,
}

/// The server. It ends with the test.
#[derive(Clone)]
pub struct Web {
    pub address: String,
    answers: Arc<Mutex<HashMap<String, Answer>>>,
    requests: Arc<Mutex<Vec<Request>>>,
    /// Requests that are answered at this moment, and the most that ever were.
    at_once: Arc<Mutex<(usize, usize)>>,
}

impl Web {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let web = Self {
            address,
            answers: Arc::default(),
            requests: Arc::default(),
            at_once: Arc::default(),
        };
        let serving = web.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let web = serving.clone();
                thread::spawn(move || web.serve(stream));
            }
        });
        web
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// From now on `path` answers this.
    pub fn put(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    /// Requests for `path` so far.
    pub fn requests(&self, path: &str) -> Vec<Request> {
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|request| request.path == path).cloned().collect()
    }

    pub fn most_at_once(&self) -> usize {
        self.at_once.lock().unwrap().1
    }

    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while let Some(request) = read_request(&mut reader) {
            {
                let mut at_once = self.at_once.lock().unwrap();
                at_once.0 += 1;
                at_once.1 = at_once.1.max(at_once.0);
            }
            let answer = self.answers.lock().unwrap().get(&request.path).cloned();
            self.requests.lock().unwrap().push(request.clone());
            let goes_on = give(&stream, answer, &request);
            self.at_once.lock().unwrap().0 -= 1;
            if !goes_on {
                return;
            }
        }
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut fields = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => {
                fields.insert(name.to_ascii_lowercase(), value.trim().to_owned());
            }
            None => return Some(Request { path, fields }),
        }
    }
}

/// Returns whether the connection can be used again.
fn give(mut stream: &TcpStream, answer: Option<Answer>, request: &Request) -> bool {
    let answer = answer.unwrap_or_else(|| Answer::status("404 Not Found"));
    let whole = |head: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    };
    match answer {
        Answer::Whole { head, body } => stream.write_all(&whole(&head, &body)).is_ok(),
        Answer::Tagged { tag, .. } if request.fields.get("if-none-match") == Some(&tag) => {
            stream.write_all(b"HTTP/1.1 304 Not Modified\r\n\r\n").is_ok()
        }
        Answer::Tagged { tag, content_type, body } => {
            let head = format!("200 OK\r\nContent-Type: {content_type}\r\nETag: {tag}");
            stream.write_all(&whole(&head, &body)).is_ok()
        }
        Answer::Endless { head } => {
            let _ = stream.write_all(format!("HTTP/1.1 {head}\r\n\r\n").as_bytes());
            while stream.write_all(&[b' '; 4_096]).is_ok() {}
            false
        }
        Answer::Slow => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n");
            while stream.write_all(b" ").is_ok() {
                thread::sleep(Duration::from_millis(50));
            }
            false
        }
        Answer::Cut { content_type, body } => {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
                body.len() + 100
            );
            let _ = stream.write_all(&[head.as_bytes(), &body].concat());
            false
        }
    }
}

/// An RSS feed of items: id, headline, link, full text.
pub fn rss(items: &[(&str, &str, &str, &str)]) -> String {
    let items = items.iter().map(|(id, title, link, text)| {
        format!(
            "<item><guid isPermaLink=\"false\">{id}</guid><title>{title}</title>\
             <link>{link}</link><description><![CDATA[{text}]]></description></item>"
        )
    });
    format!(
        "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>The Gazette</title>\
         <link>https://gazette.example/</link>{}</channel></rss>",
        items.collect::<String>()
    )
}

/// A page with an article.
pub fn page(title: &str, paragraphs: &[&str]) -> String {
    let paragraphs: String = paragraphs.iter().map(|text| format!("<p>{text}</p>")).collect();
    format!(
        "<!doctype html><html lang=en><title>{title}</title><nav><a href=/>Home</a></nav>\
         <article><h1>{title}</h1>{paragraphs}</article></html>"
    )
}

/// All of a child's output, once it has ended.
pub fn all(mut from: impl Read) -> String {
    let mut text = String::new();
    from.read_to_string(&mut text).unwrap();
    text
}
