//! What cancellation records: who tells threads to end, who waits to be told, and who looks.

use std::cell::Cell;
use std::panic::Location;

use conccheck_trace::{Event, ObjectId, ObjectKind};

use crate::object::Object;
use crate::recorder;

/// Tokens whose latest look a thread remembers. One that is forgotten costs one repeated event.
const LOOKS: usize = 64;

/// So many looks in a row that find a token cancelled are recorded: enough to see that a thread went on.
const TOLD: u8 = 8;

/// What a thread found when it last looked at a token, and how often in a row that was recorded.
#[derive(Clone, Copy)]
struct Look {
    token: ObjectId,
    cancelled: bool,
    recorded: u8,
}

thread_local! {
    /// Direct-mapped by number.
    static SEEN: [Cell<Look>; LOOKS] =
        const { [const { Cell::new(Look { token: ObjectId::NONE, cancelled: false, recorded: 0 }) }; LOOKS] };
}

/// Whether a look is worth an event.
fn is_news(token: ObjectId, cancelled: bool) -> bool {
    SEEN.with(|seen| {
        let slot = &seen[token.0 as usize % LOOKS];
        let last = slot.get();
        let repeats = last.token == token && last.cancelled == cancelled;
        let recorded = if repeats { last.recorded } else { 0 };
        let is_news = recorded < if cancelled { TOLD } else { 1 };
        slot.set(Look { token, cancelled, recorded: recorded + u8::from(is_news) });
        is_news
    })
}

/// The recorded side of one cancellation token, or of one flag that tells threads to end.
#[derive(Debug)]
pub struct Token {
    object: Object,
}

impl Default for Token {
    #[track_caller]
    fn default() -> Token {
        Token::new()
    }
}

impl Token {
    /// A new one, created where the caller's caller says.
    #[track_caller]
    pub const fn new() -> Token {
        Token { object: Object::new(ObjectKind::Token) }
    }

    fn id(&self) -> ObjectId {
        self.object.id(|| "")
    }

    /// Records that a handle was cloned.
    pub fn cloned(&self, place: &'static Location<'static>) {
        if recorder::is_on() {
            recorder::emit(Event::TokenClone { token: self.id(), site: recorder::site(place) });
        }
    }

    /// Records that the thread is about to tell those who listen to end.
    pub fn cancel(&self, place: &'static Location<'static>) {
        if recorder::is_on() {
            recorder::emit(Event::Cancel { token: self.id(), site: recorder::site(place) });
        }
    }

    /// Records that the thread is about to wait until it is told. Ended by [`waited`](Token::waited).
    pub fn waiting(&self, timed: bool, place: &'static Location<'static>) {
        if recorder::is_on() {
            recorder::emit(Event::CancelWait { token: self.id(), site: recorder::site(place), timed });
        }
    }

    /// Records the end of a wait, and whether the thread was told.
    pub fn waited(&self, cancelled: bool, place: &'static Location<'static>) {
        if recorder::is_on() {
            recorder::emit(Event::CancelLook { token: self.id(), site: recorder::site(place), cancelled });
        }
    }

    /// Records what the thread found, unless the same was recorded often enough.
    #[inline]
    pub fn looked(&self, cancelled: bool, place: &'static Location<'static>) {
        if recorder::is_on() {
            self.looked_slow(cancelled, place);
        }
    }

    fn looked_slow(&self, cancelled: bool, place: &'static Location<'static>) {
        let token = self.id();
        if is_news(token, cancelled) {
            recorder::emit(Event::CancelLook { token, site: recorder::site(place), cancelled });
        }
    }
}
