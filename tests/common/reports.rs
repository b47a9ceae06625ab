//! Three events, each as three outlets report it in words of their own.

use copydesk::proto::v1 as pb;

use super::{day, document};

pub struct Report {
    pub id: &'static str,
    pub title: &'static str,
    pub source: &'static str,
    pub date: &'static str,
    pub paragraphs: &'static [&'static str],
}

impl Report {
    pub fn document(&self) -> pb::Document {
        pb::Document {
            title: self.title.to_owned(),
            source: self.source.to_owned(),
            published_at: day(self.date),
            ..document(self.id, self.paragraphs)
        }
    }

    /// The same article under another id, as another outlet reprints it later.
    pub fn reprint(&self, id: &str, source: &str, date: &str) -> pb::Document {
        pb::Document {
            document_id: id.to_owned(),
            source: source.to_owned(),
            published_at: day(date),
            ..self.document()
        }
    }
}

pub const MILL: [Report; 3] = [
    Report {
        id: "mill-1",
        title: "Harper Steel to close Duluth mill, 1,240 to lose jobs",
        source: "Northern Wire",
        date: "2024-03-04",
        paragraphs: &[
            "Harper Steel Corp said on Monday that it will close its rolling mill in Duluth, \
             Minnesota, on June 30 and lay off 1,240 workers because of a fall in orders from car \
             makers.",
            "The company took a charge of 86.5 million dollars against earnings in the second \
             quarter, after a loss of 12.3 million dollars a year earlier.",
            "Union officials said they had not been told before the announcement and would ask a \
             judge to delay the closing until talks are held.",
            "Chairman Robert Lane told reporters that no other plants of the group would be shut \
             this year.",
            "The mill was opened in 1911 and employed 4,600 people at its peak, making plate for \
             shipyards on the Great Lakes.",
        ],
    },
    Report {
        id: "mill-2",
        title: "Duluth stunned as Harper Steel gives up its rolling mill",
        source: "Lake Tribune",
        date: "2024-03-05",
        paragraphs: &[
            "Families in Duluth were trying to take in the news on Tuesday that the Harper Steel \
             rolling mill, the city's largest employer, is to shut for good at the end of June, \
             putting 1,240 people out of work.",
            "\"My grandfather rolled plate for ore boats here,\" said Ellen Sorensen, a crane \
             operator. \"Nobody warned us. We read it on our phones at the change of shift.\"",
            "Harper's chairman, Robert Lane, blamed car makers, who have cut their orders for \
             steel, and said the group would keep its other plants.",
            "Mayor Tom Haugen called an emergency meeting of the council and said the city would \
             ask Minnesota for help with retraining the steelworkers.",
        ],
    },
    Report {
        id: "mill-3",
        title: "Steelworkers go to court over Duluth closing",
        source: "Labor Daily",
        date: "2024-03-06",
        paragraphs: &[
            "The steelworkers' union filed suit in Minneapolis on Wednesday to stop Harper Steel \
             from closing its Duluth rolling mill before it has bargained over the fate of the \
             1,240 workers there.",
            "Its complaint says that Harper gave the local no notice before Monday's announcement \
             that the mill would shut on June 30, as the contract requires.",
            "A spokeswoman for Harper Steel said that weak demand from car makers had left the \
             company no choice, and that it would answer the suit in court.",
            "Steel analysts said that a judge might put off the closing for weeks but would hardly \
             keep the Duluth mill alive.",
        ],
    },
];

pub const QUAKE: [Report; 3] = [
    Report {
        id: "quake-1",
        title: "Strong earthquake kills at least 38 in eastern Turkey",
        source: "Northern Wire",
        date: "2024-03-04",
        paragraphs: &[
            "An earthquake of magnitude 6.4 struck the province of Van in eastern Turkey before \
             dawn on Monday, killing at least 38 people and trapping dozens under fallen houses, \
             officials said.",
            "The town of Ercis was hit hardest. A dormitory of four floors collapsed there, and \
             rescuers were digging for students with their bare hands.",
            "Health Minister Selim Aydin said 210 people had been taken to hospitals and that \
             field clinics were on their way from Ankara.",
            "Snow and temperatures of minus 12 degrees hampered the search, and roads to some \
             mountain villages were blocked by landslides.",
        ],
    },
    Report {
        id: "quake-2",
        title: "Rescuers race against the cold after Van earthquake",
        source: "Ankara Post",
        date: "2024-03-05",
        paragraphs: &[
            "Teams with dogs and listening devices worked through a second freezing night in Ercis, \
             where the earthquake that shook Turkey's Van province brought down a student \
             dormitory.",
            "Two sisters were pulled alive from the rubble of the dormitory after 26 hours, to \
             cheers from the crowd that had waited in the snow.",
            "The death toll of Monday's quake, which measured 6.4, was expected to rise above the \
             38 that had been confirmed, the governor of Van said.",
            "Tents and blankets were being flown in for the thousands who were left without \
             shelter in the mountain villages.",
        ],
    },
    Report {
        id: "quake-3",
        title: "Turkey arrests builder of dormitory that fell in quake",
        source: "World Report",
        date: "2024-03-06",
        paragraphs: &[
            "Police in eastern Turkey on Wednesday detained the contractor who built the dormitory \
             in Ercis that collapsed in Monday's earthquake, burying dozens of students.",
            "Prosecutors in Van said that the columns of the building, of four floors, held far \
             less steel than the code demands in a province that is known for its earthquakes.",
            "The magnitude 6.4 quake killed at least 38 people and injured more than 200, and \
             rescuers are still searching the ruins in the cold.",
            "Parents of missing students shouted at Health Minister Selim Aydin when he came to \
             the site.",
        ],
    },
];

pub const FERRY: [Report; 3] = [
    Report {
        id: "ferry-1",
        title: "Ferry runs aground off Bergen, 312 passengers taken off",
        source: "Northern Wire",
        date: "2024-03-05",
        paragraphs: &[
            "A ferry with 312 passengers ran aground on a reef north of Bergen in thick fog on \
             Tuesday evening, and all on board were taken off by lifeboats, the Norwegian coast \
             guard said.",
            "The Havsule was on its way from Stavanger when it struck the reef near the island of \
             Herdla at about 14 knots and began to take in water.",
            "Eleven people were treated for cuts and cold, none of them seriously.",
            "The owner, Fjordlinjen, said the captain had reported a failure of the steering a few \
             minutes before.",
        ],
    },
    Report {
        id: "ferry-2",
        title: "Passengers tell of calm night rescue from Havsule",
        source: "Bergen Courier",
        date: "2024-03-06",
        paragraphs: &[
            "There was a bang, the lights went out, and then the crew came round with blankets: so \
             passengers described the grounding of the ferry Havsule on a reef off Herdla.",
            "All 312 of them were brought to Bergen by lifeboats and fishing vessels before \
             midnight, and only eleven needed a doctor.",
            "\"Nobody ran, nobody shouted,\" said Ingrid Moe, who was travelling from Stavanger \
             with her two sons.",
            "Divers found a gash of nine metres in the hull, and the coast guard laid booms around \
             the ferry to hold back fuel.",
        ],
    },
    Report {
        id: "ferry-3",
        title: "Steering fault suspected in grounding of Norwegian ferry",
        source: "Shipping Gazette",
        date: "2024-03-07",
        paragraphs: &[
            "Norway's accident board is looking at the steering gear of the ferry Havsule, which \
             hit a reef near Bergen on Tuesday with 312 passengers, after its owner Fjordlinjen \
             said that the captain had lost control of the rudder.",
            "The voyage recorder was recovered on Thursday, and a first reading showed a speed of \
             14 knots at the time of the grounding off Herdla.",
            "Fjordlinjen has taken a sister ship out of service to have the same pumps checked.",
            "A salvage company hopes to pull the ferry off at the spring tide next week.",
        ],
    },
];

/// An editor's choice of words for what follows the first report on the mill.
pub const LATER: &str = "A federal judge in Minneapolis later ordered the company to keep the mill \
    open for 30 days while both sides meet with a mediator.";
