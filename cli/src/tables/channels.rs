//! Channels: how full they got and who waited.

use conccheck_analyzer::model::Model;
use conccheck_analyzer::model::channel::Channel;
use conccheck_trace::{ObjectId, ObjectKind, Ticks};
use serde::Serialize;

use super::{Cell, Column, Row, number, text};

/// One channel. Times are nanoseconds.
#[derive(Serialize)]
pub(crate) struct ChannelRow {
    channel: String,
    /// Null where it is unbounded.
    capacity: Option<u64>,
    sent: u64,
    received: u64,
    /// Most messages that were in it at once.
    fullest: u64,
    /// Sends that had to wait for room.
    send_waits: u64,
    send_waited: u64,
}

/// The channels of all processes, the fullest first.
pub(crate) fn rows<'m, 't: 'm>(models: impl IntoIterator<Item = &'m Model<'t>>) -> Vec<ChannelRow> {
    let of = |model: &'m Model<'t>| {
        let channels = model
            .channels
            .iter()
            .filter(|(id, channel)| channel.is_known && model.kind(ObjectId(*id)) != Some(ObjectKind::WaitGroup));
        channels.map(move |(id, channel)| row(model, ObjectId(id), channel))
    };
    let mut rows: Vec<ChannelRow> = models.into_iter().flat_map(of).collect();
    rows.sort_by(|a, b| b.fullest.cmp(&a.fullest).then_with(|| a.channel.cmp(&b.channel)));
    rows
}

fn row(model: &Model<'_>, id: ObjectId, channel: &Channel) -> ChannelRow {
    ChannelRow {
        channel: model.names().class(id).to_owned(),
        capacity: channel.capacity,
        sent: channel.sent,
        received: channel.received,
        fullest: channel.fullest,
        send_waits: channel.send_waits,
        send_waited: model.span(Ticks(0), Ticks(channel.send_waited)).0,
    }
}

impl Row for ChannelRow {
    const COLUMNS: &'static [Column] = &[
        text("channel"),
        number("capacity"),
        number("sent"),
        number("received"),
        number("fullest"),
        number("waits for room"),
        number("waited"),
    ];

    fn cells(&self) -> Vec<Cell> {
        let unbounded = || Cell { text: "unbounded".to_owned(), number: Some(u64::MAX) };
        vec![
            Cell::text(&self.channel),
            self.capacity.map_or_else(unbounded, Cell::count),
            Cell::count(self.sent),
            Cell::count(self.received),
            Cell::count(self.fullest),
            Cell::count(self.send_waits),
            Cell::time(self.send_waited),
        ]
    }
}
