//! Values as they are written on a command line.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

pub fn one_line(text: &str) -> Result<String, String> {
    match text.contains(char::is_control) {
        true => Err("give a name of one line".to_owned()),
        false => Ok(text.to_owned()),
    }
}

pub fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("give KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

pub fn parse_age(text: &str) -> Result<SignedDuration, String> {
    let age = text
        .parse::<Span>()
        .ok()
        .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    age.filter(|age| age.is_positive())
        .ok_or_else(|| "give a number of weeks, days or hours: 4w, 30d, 12h".to_owned())
}

/// A time from nothing to a day: 30s, 500ms, 15m.
pub fn parse_time_span(text: &str) -> Result<Duration, String> {
    let time = text.parse::<SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok());
    time.filter(|time| *time <= Duration::from_secs(24 * 3_600)).ok_or_else(|| {
        "give a number of seconds, minutes or hours, at most 24h: 30s, 15m".to_owned()
    })
}

/// An address, or a port on loopback.
pub fn web_address(text: &str) -> Result<SocketAddr, String> {
    let port = text.parse::<u16>().map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    port.or_else(|_| text.parse())
        .map_err(|_| "give an address and a port (127.0.0.1:7152), or a port (7152)".to_owned())
}

pub fn source_age(text: &str) -> Result<(String, SignedDuration), String> {
    let (source, age) = text.rsplit_once('=').ok_or("give SOURCE=TIME")?;
    Ok((source.to_owned(), parse_age(age)?))
}

pub fn parse_time(text: &str) -> Result<Timestamp, String> {
    let of_day = |day: Date| Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp());
    text.parse()
        .ok()
        .or_else(|| text.parse().ok().and_then(of_day))
        .ok_or_else(|| "give a day (2023-10-20) or a time (2023-10-20T14:34:00Z)".to_owned())
}
