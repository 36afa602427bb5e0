//! Which way of holding a lock keeps out which way of asking for it.

use conccheck_trace::Mode;

/// Whether a lock held as `held` keeps out a thread that asks for it as `asked`, with nobody else about.
pub(crate) fn blocks(held: Mode, asked: Mode) -> bool {
    use Mode::{Exclusive, Reentrant, Upgradable};
    matches!((held, asked), (Exclusive | Reentrant, _) | (_, Exclusive | Reentrant) | (Upgradable, Upgradable))
}

/// Whether a reader that asks as `asked` waits behind a writer that is itself kept out by a reader that holds as `held`.
pub(crate) fn blocks_behind_writer(held: Mode, asked: Mode) -> bool {
    !blocks(held, asked) && matches!(asked, Mode::Shared | Mode::Upgradable) && blocks(held, Mode::Exclusive)
}

#[cfg(test)]
mod tests {
    use super::Mode::{Exclusive, RecursiveShared, Reentrant, Shared, Upgradable};
    use super::*;

    #[test]
    fn readers_keep_out_writers_only_but_queue_behind_them_unless_recursive() {
        let all = [Exclusive, Shared, RecursiveShared, Upgradable, Reentrant];
        let row = |f: fn(_, _) -> bool, held| all.map(|asked| u8::from(f(held, asked)));
        assert_eq!(row(blocks, Exclusive), [1, 1, 1, 1, 1]);
        assert_eq!(row(blocks, Shared), [1, 0, 0, 0, 1]);
        assert_eq!(row(blocks, RecursiveShared), [1, 0, 0, 0, 1]);
        assert_eq!(row(blocks, Upgradable), [1, 0, 0, 1, 1]);
        assert_eq!(row(blocks_behind_writer, Shared), [0, 1, 0, 1, 0]);
        assert_eq!(row(blocks_behind_writer, RecursiveShared), [0, 1, 0, 1, 0]);
        assert_eq!(row(blocks_behind_writer, Upgradable), [0, 1, 0, 0, 0]);
        assert_eq!(row(blocks_behind_writer, Exclusive), [0; 5]);
    }
}
