//! Tokens that tell threads to end.

use core::panic::Location;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use crate::rt::cancel as rt;
use crate::rt::real::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use crate::rt::real::time::Instant;
use crate::rt::real::vec::Vec;

/// Tells threads to end. Clones are handles of the same token.
///
/// A thread looks at it in its loop ([`is_cancelled`](Self::is_cancelled)), or pauses on it
/// ([`wait_timeout`](Self::wait_timeout)) where it would sleep. What was done before [`cancel`](Self::cancel) is seen by those who
/// find the token cancelled.
///
/// ```
/// use conccheck::CancellationToken;
///
/// let server = CancellationToken::new();
/// let request = server.child_token();
/// request.cancel();
/// assert!(request.is_cancelled() && !server.is_cancelled());
/// ```
#[derive(Debug)]
pub struct CancellationToken {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    record: rt::Token,
    cancelled: AtomicBool,
    /// Tokens that are cancelled with this one. Held to cancel and to wait, so that no wait misses the cancellation.
    children: Mutex<Vec<Weak<Inner>>>,
    changed: Condvar,
}

impl CancellationToken {
    /// A token that is not cancelled.
    #[track_caller]
    #[must_use]
    pub fn new() -> CancellationToken {
        let (children, changed) = (Mutex::new(Vec::new()), Condvar::new());
        let inner = Inner { record: rt::Token::new(), cancelled: AtomicBool::new(false), children, changed };
        CancellationToken { inner: Arc::new(inner) }
    }

    /// A token that is cancelled when this one is, and can be on its own.
    #[track_caller]
    #[must_use]
    pub fn child_token(&self) -> CancellationToken {
        let child = CancellationToken::new();
        let mut children = self.inner.children();
        if self.inner.is_cancelled() {
            child.inner.cancel(Location::caller());
        } else {
            children.retain(|child| child.strong_count() > 0);
            children.push(Arc::downgrade(&child.inner));
        }
        drop(children);
        child
    }

    /// Tells everybody who has a handle of this token, or of a child of it, to end. For good.
    #[track_caller]
    pub fn cancel(&self) {
        self.inner.cancel(Location::caller());
    }

    /// Whether it was cancelled.
    #[track_caller]
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        let cancelled = self.inner.is_cancelled();
        self.inner.record.looked(cancelled, Location::caller());
        cancelled
    }

    /// Waits until it is cancelled.
    #[track_caller]
    pub fn wait(&self) {
        let place = Location::caller();
        if self.inner.is_cancelled() {
            return self.inner.record.looked(true, place);
        }
        self.inner.record.waiting(false, place);
        let mut children = self.inner.children();
        while !self.inner.is_cancelled() {
            children = self.inner.changed.wait(children).unwrap_or_else(PoisonError::into_inner);
        }
        drop(children);
        self.inner.record.waited(true, place);
    }

    /// Waits until it is cancelled, but for `limit` at most; says whether it is.
    #[track_caller]
    pub fn wait_timeout(&self, limit: Duration) -> bool {
        let place = Location::caller();
        if self.inner.is_cancelled() {
            self.inner.record.looked(true, place);
            return true;
        }
        self.inner.record.waiting(true, place);
        let begin = Instant::now();
        let mut children = self.inner.children();
        while !self.inner.is_cancelled() {
            let Some(left) = limit.checked_sub(begin.elapsed()).filter(|left| !left.is_zero()) else { break };
            children = self.inner.changed.wait_timeout(children, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(children);
        let cancelled = self.inner.is_cancelled();
        self.inner.record.waited(cancelled, place);
        cancelled
    }

    /// Cancels this token when the guard is dropped.
    #[must_use = "the token is cancelled when this is dropped"]
    pub fn drop_guard(self) -> DropGuard {
        DropGuard { token: Some(self) }
    }
}

impl Default for CancellationToken {
    #[track_caller]
    fn default() -> CancellationToken {
        CancellationToken::new()
    }
}

impl Clone for CancellationToken {
    #[track_caller]
    fn clone(&self) -> CancellationToken {
        self.inner.record.cloned(Location::caller());
        CancellationToken { inner: Arc::clone(&self.inner) }
    }
}

impl Inner {
    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    fn children(&self) -> MutexGuard<'_, Vec<Weak<Inner>>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cancel(&self, place: &'static Location<'static>) {
        let mut children = self.children();
        if self.is_cancelled() {
            return;
        }
        // Recorded before anybody can see it.
        self.record.cancel(place);
        self.cancelled.store(true, Ordering::Release);
        let children = core::mem::take(&mut *children);
        self.changed.notify_all();
        children.iter().filter_map(Weak::upgrade).for_each(|child| child.cancel(place));
    }
}

/// Cancels a token when it is dropped. Made by [`CancellationToken::drop_guard`].
#[derive(Debug)]
pub struct DropGuard {
    token: Option<CancellationToken>,
}

impl DropGuard {
    /// Gives the token back without cancelling it.
    #[must_use = "the token is dropped otherwise"]
    pub fn disarm(mut self) -> CancellationToken {
        self.token.take().unwrap_or_default()
    }
}

impl Drop for DropGuard {
    #[track_caller]
    fn drop(&mut self) {
        if let Some(token) = &self.token {
            token.cancel();
        }
    }
}
