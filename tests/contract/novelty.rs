//! How much of a document nobody reported before, in these words or others.

use crate::common::reports::{FERRY, MILL, QUAKE};
use crate::common::{Desk, document, ingest};
use copydesk::proto::v1 as pb;

/// What is said of a document whose passages are looked at.
async fn judged(desk: &mut Desk, document: pb::Document) -> pb::DocumentVerdict {
    let request =
        pb::IngestDocumentRequest { view: pb::VerdictView::Passages.into(), ..ingest(document) };
    desk.ingest(request).await.unwrap().verdict.unwrap()
}

fn by_passage(verdict: &pb::DocumentVerdict) -> Vec<f32> {
    verdict.passages.iter().map(|passage| passage.novelty).collect()
}

const TAKEOVER: [&str; 5] = [
    "Brightwater Foods agreed on Thursday to buy Caldera Snacks, a maker of nut bars and crisps, \
     for 2.4 billion dollars in cash.",
    "The price of 41.50 dollars a share is 28 percent above Caldera's closing price on Wednesday, \
     and Brightwater will also take on 310 million dollars of debt.",
    "Brightwater's chief executive, Helen Marsh, said the deal would save 90 million dollars a year \
     by the third year, mostly in freight and packaging.",
    "Caldera, which was founded in Boise, Idaho, in 1988, has 3,100 employees and sold goods worth \
     870 million dollars last year.",
    "The boards of both companies have approved the purchase, which they expect to complete in \
     October if regulators do not object.",
];

/// The same facts, told by somebody else.
const TAKEOVER_RETOLD: [&str; 5] = [
    "Caldera Snacks, whose nut bars and crisps are sold across the country, is to be taken over by \
     Brightwater Foods in a 2.4 billion dollar all-cash deal that the two announced on Thursday.",
    "Shareholders of Caldera will get 41.50 dollars for each share, a premium of 28 percent over \
     the last price on Wednesday. Debts of 310 million dollars pass to Brightwater as well.",
    "Within three years, costs are to fall by 90 million dollars annually, chiefly for packaging \
     and freight, according to Helen Marsh, who runs Brightwater.",
    "Caldera had sales of 870 million dollars in the past year. It started out in Boise, Idaho, in \
     1988 and now employs 3,100 people.",
    "Directors on either side have given their consent to the purchase. Unless regulators stand in \
     the way, completion is planned for October.",
];

const FIRE: [&str; 5] = [
    "A fire destroyed the central market of Kumasi on Sunday night, burning more than 700 stalls \
     and leaving two watchmen dead, the fire service of Ghana said.",
    "The blaze broke out shortly after 10 p.m. in a row of fabric shops and spread quickly because \
     of strong winds. It took 14 engines six hours to bring it under control.",
    "Fire chief Kwame Asante said that an electrical fault was the likely cause and that hydrants \
     around the market had been dry.",
    "Traders, many of them without insurance, put their losses at 25 million cedis and asked the \
     government for help.",
    "The market, one of the largest in West Africa, last burned in 2009, when 500 stalls were lost.",
];

const FIRE_RETOLD: [&str; 5] = [
    "Two watchmen died and over 700 stalls went up in flames when fire swept through Kumasi's \
     central market on Sunday night, according to Ghana's fire service.",
    "It began among the fabric shops soon after 10 p.m., and strong winds drove it on. Crews with \
     14 fire engines needed six hours before the flames were under control.",
    "The hydrants near the market had no water, said Kwame Asante, the fire chief, who believes \
     that faulty wiring started the blaze.",
    "Stallholders reckon that they have lost goods worth 25 million cedis. Few were insured, and \
     they are appealing to the government for assistance.",
    "Some 500 stalls burned down in an earlier fire in 2009 at the market, which is among the \
     biggest in West Africa.",
];

#[tokio::test]
async fn the_first_report_is_all_new_and_a_copy_adds_nothing() {
    let mut desk = Desk::open().await;
    let first = judged(&mut desk, MILL[0].document()).await;
    assert_eq!(first.novelty, 1.0);
    assert_eq!(by_passage(&first), [1.0; 5]);
    let copy = judged(&mut desk, MILL[0].reprint("copy", "Valley News", "2024-03-05")).await;
    assert_eq!(copy.verdict(), pb::Verdict::ExactDuplicate);
    assert_eq!(copy.novelty, 0.0);
    assert_eq!(by_passage(&copy), [0.0; 5]);
    // What is cut adds nothing either.
    let cut = judged(&mut desk, document("cut", &MILL[0].paragraphs[..3])).await;
    assert_eq!((cut.novelty, by_passage(&cut)), (0.0, vec![0.0; 3]));
}

#[tokio::test]
async fn an_article_on_something_else_is_new() {
    let mut desk = Desk::open().await;
    for report in MILL.iter().chain(&QUAKE) {
        desk.ingest(ingest(report.document())).await.unwrap();
    }
    for unrelated in [FERRY[0].document(), document("takeover", &TAKEOVER), document("fire", &FIRE)]
    {
        let id = unrelated.document_id.clone();
        let verdict = judged(&mut desk, unrelated).await;
        assert!(verdict.novelty >= 0.9, "{id}: {} {:?}", verdict.novelty, by_passage(&verdict));
    }
}

#[tokio::test]
async fn a_copy_with_new_paragraphs_points_at_them() {
    let mut desk = Desk::open().await;
    desk.ingest(ingest(MILL[0].document())).await.unwrap();
    let old = MILL[0].paragraphs;
    let judge = "A federal judge in Minneapolis, Carla Whitfield, ordered the company on Thursday to \
                 keep the mill open for 30 days while both sides meet with a mediator.";
    let offer = "Separately, an investor from Pittsburgh, Leon Abrams, offered 45 million dollars \
                 for the site and said he would make rails there with 400 people.";
    let grown = document("grown", &[old[0], judge, old[1], old[2], old[3], offer, old[4]]);
    let verdict = judged(&mut desk, grown).await;
    assert_eq!(verdict.verdict(), pb::Verdict::Update);
    let novelty = by_passage(&verdict);
    for (ordinal, novelty) in novelty.iter().enumerate() {
        match ordinal {
            1 | 5 => assert!(*novelty >= 0.6, "paragraph {ordinal} is new: {novelty}"),
            _ => assert_eq!(*novelty, 0.0, "paragraph {ordinal} is old"),
        }
    }
    assert!((0.1..0.5).contains(&verdict.novelty), "{}", verdict.novelty);
    // The version that came last made these known.
    let again = judged(&mut desk, document("again", &[old[0], judge, offer])).await;
    assert_eq!((again.novelty, by_passage(&again)), (0.0, vec![0.0; 3]));
}

#[tokio::test]
async fn the_same_facts_in_other_words_are_not_new() {
    let mut desk = Desk::open().await;
    // As any other day's news stand beside it.
    for report in QUAKE.iter().chain(&FERRY) {
        desk.ingest(ingest(report.document())).await.unwrap();
    }
    let smuggling = "Police on Tuesday arrested Femi Oduya, 34, a night guard from Tamale, and charged \
                     him with letting 60 lorries through a closed border post.";
    let recall = "Separately, 18,000 jars of peanut butter were recalled on Monday after tests in Ohio \
                  by the laboratory Menzel found traces of salmonella.";
    for (id, first, retold, news) in
        [("takeover", TAKEOVER, TAKEOVER_RETOLD, recall), ("fire", FIRE, FIRE_RETOLD, smuggling)]
    {
        let novelty = judged(&mut desk, document(id, &first)).await.novelty;
        assert!(novelty >= 0.9, "{id}: {novelty}");
        let verdict = judged(&mut desk, document(&format!("{id}-retold"), &retold)).await;
        assert!(verdict.novelty <= 0.3, "{id}: {} {:?}", verdict.novelty, by_passage(&verdict));
        // It is the facts that count: with other ones it is news.
        let mut developed = retold.to_vec();
        developed[3] = news;
        let developed = document(&format!("{id}-developed"), &developed);
        let verdict = judged(&mut desk, developed).await;
        let novelty = by_passage(&verdict);
        assert!(novelty[3] >= 0.7, "{id}: {novelty:?}");
        assert_eq!(novelty[0], 0.0, "{id}");
    }
}

#[tokio::test]
async fn novelty_is_kept_with_the_verdict() {
    let mut desk = Desk::open().await;
    desk.put("a", &TAKEOVER).await;
    let verdict = judged(&mut desk, document("b", &TAKEOVER_RETOLD)).await;
    let stored = desk.get("b", pb::VerdictView::Passages).await.unwrap().verdict.unwrap();
    assert_eq!(stored.novelty, verdict.novelty);
    assert_eq!(by_passage(&stored), by_passage(&verdict));
    // Asking stores nothing, and says the same as storing.
    let request = pb::IngestDocumentRequest {
        validate_only: true,
        view: pb::VerdictView::Passages.into(),
        ..ingest(document("c", &FIRE))
    };
    let asked = desk.ingest(request).await.unwrap().verdict.unwrap();
    let told = judged(&mut desk, document("c", &FIRE)).await;
    assert_eq!((asked.novelty, by_passage(&asked)), (told.novelty, by_passage(&told)));
}
