//! Channels: how full they got and who waited.

use std::collections::HashMap;

use conccheck_analyzer::model::Model;
use conccheck_analyzer::model::channel::Channel;
use conccheck_trace::{ObjectId, ObjectKind};
use serde::Serialize;

use super::{Cell, Column, Row, number, text};
use crate::timeline::{Doing, end, stretches};

/// One channel. Times are nanoseconds.
#[derive(Serialize, Debug)]
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
    /// How long receivers waited for messages, all of them together.
    recv_waited: u64,
}

/// How long threads waited for room in a channel, and for its messages, in nanoseconds.
#[derive(Clone, Copy, Default)]
struct Waited {
    room: u64,
    message: u64,
}

/// The channels of all processes, the fullest first.
pub(crate) fn rows<'m, 't: 'm>(models: impl IntoIterator<Item = &'m Model<'t>>) -> Vec<ChannelRow> {
    let of = |model: &'m Model<'t>| {
        let waited = waited(model);
        let channels = model
            .channels
            .iter()
            .filter(|(id, channel)| channel.is_known && model.kind(ObjectId(*id)) != Some(ObjectKind::WaitGroup));
        channels
            .map(move |(id, channel)| row(model, ObjectId(id), channel, waited.get(&ObjectId(id)).copied().unwrap_or_default()))
    };
    let mut rows: Vec<ChannelRow> = models.into_iter().flat_map(of).collect();
    rows.sort_by(|a, b| b.fullest.cmp(&a.fullest).then_with(|| a.channel.cmp(&b.channel)));
    rows
}

fn waited(model: &Model<'_>) -> HashMap<ObjectId, Waited> {
    let mut waited: HashMap<ObjectId, Waited> = HashMap::new();
    // A pass over all events, to be spared where there is nothing to find.
    if model.channels.iter().next().is_none() {
        return waited;
    }
    let end = end(model.trace);
    for thread in model.trace.threads() {
        stretches(model.trace, thread, end, |stretch| match stretch.doing {
            Doing::WaitRoom { channel } => waited.entry(channel).or_default().room += stretch.length().0,
            Doing::WaitMessage { channel } => waited.entry(channel).or_default().message += stretch.length().0,
            _ => {}
        });
    }
    waited
}

fn row(model: &Model<'_>, id: ObjectId, channel: &Channel, waited: Waited) -> ChannelRow {
    ChannelRow {
        channel: model.names().class(id).to_owned(),
        capacity: channel.capacity,
        sent: channel.sent,
        received: channel.received,
        // Threads are put into one order by what is known of it: a send may come before the receive that made room for it.
        fullest: channel.fullest.min(channel.capacity.unwrap_or(u64::MAX)),
        send_waits: channel.send_waits,
        send_waited: waited.room,
        recv_waited: waited.message,
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
        number("waited for room"),
        number("waited for messages"),
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
            Cell::time(self.recv_waited),
        ]
    }
}

#[cfg(test)]
mod tests {
    use conccheck_analyzer::{Config, NoSources};

    use super::*;

    #[test]
    fn waits_have_their_times() {
        let trace = conccheck_trace::text::parse(
            "main channel c 1; main spawn t; main send c; main request-send c; t recv c +2ms; main send c
             t recv c; t request-recv c; main send c +5ms; t recv c",
        )
        .expect("a trace");
        let rows = rows([&Model::new(&trace, &NoSources, &Config::default())]);
        let row = &rows[0];
        assert_eq!((row.sent, row.received, row.fullest, row.send_waits), (3, 3, 1, 1), "{row:?}");
        assert_eq!((row.send_waited / 1_000_000, row.recv_waited / 1_000_000), (2, 5), "{row:?}");
    }
}
