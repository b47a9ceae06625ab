//! Files of the index whose bytes nobody wrote, behind checksums that fit. What
//! fuzzing does for hours (see `fuzz/`) is done here a few hundred times.
//! `COPYDESK_SEED` repeats a run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../fuzz/harness/manifest.rs"]
mod manifest;
#[path = "../fuzz/harness/segment.rs"]
mod segment;

use fastrand::Rng;

fn rng() -> Rng {
    let seed = std::env::var("COPYDESK_SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("COPYDESK_SEED={seed}");
    Rng::with_seed(seed)
}

#[test]
fn a_segment_that_was_changed_behind_its_checksums_harms_nobody() {
    let segment = segment::SegmentFile::new();
    let mut rng = rng();
    for _ in 0..150 {
        let changes = rng.usize(1..20);
        let mut data: Vec<u8> = (0..6 * changes).map(|_| rng.u8(..)).collect();
        if rng.bool() {
            // The head and the numbers are few bytes beside the vectors.
            data.chunks_mut(6).for_each(|change| change[2..4].fill(0));
        }
        segment.open_changed(&data);
    }
}

#[test]
fn a_manifest_of_any_bytes_names_no_file_elsewhere() {
    let mut rng = rng();
    let sound = br#"{"format":1,"corpus":1,"model":"00","segments":["1.segment","2.segment"]}"#;
    for _ in 0..20_000 {
        let mut bytes = sound.to_vec();
        for _ in 0..rng.usize(0..6) {
            let at = rng.usize(0..bytes.len());
            bytes[at] = if rng.bool() { rng.u8(..) } else { sound[rng.usize(0..sound.len())] };
        }
        manifest::read_manifest(&bytes);
    }
}
