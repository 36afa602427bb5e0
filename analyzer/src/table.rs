//! A table by small numbers.

use rustc_hash::FxHashMap;

/// Values by id. Ids count up from 1, so they index a vector; a far-off id, as a damaged trace may hold, costs a map entry and not
/// a vector of its length.
#[derive(Clone, Debug)]
pub struct Table<T> {
    near: Vec<T>,
    far: FxHashMap<u32, T>,
}

/// How far behind its end the vector grows for a new id.
const STEP: usize = 1 << 16;

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table { near: Vec::new(), far: FxHashMap::default() }
    }
}

impl<T: Default> Table<T> {
    /// The value of `id`, made when first asked for.
    #[inline]
    pub fn at(&mut self, id: u32) -> &mut T {
        if (id as usize) < self.near.len() {
            return &mut self.near[id as usize];
        }
        self.grow(id)
    }

    #[cold]
    fn grow(&mut self, id: u32) -> &mut T {
        let index = id as usize;
        if index > 2 * self.near.len() + STEP {
            return self.far.entry(id).or_default();
        }
        self.near.resize_with(index + 1, T::default);
        if !self.far.is_empty() {
            let mut caught: Vec<u32> = self.far.keys().copied().filter(|far| (*far as usize) <= index).collect();
            caught.sort_unstable();
            for id in caught {
                if let Some(value) = self.far.remove(&id) {
                    self.near[id as usize] = value;
                }
            }
        }
        &mut self.near[index]
    }

    /// The value of `id`, if anything near it was asked for.
    #[inline]
    pub fn get(&self, id: u32) -> Option<&T> {
        self.near.get(id as usize).or_else(|| if self.far.is_empty() { None } else { self.far.get(&id) })
    }

    /// All values, in no order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.near.iter_mut().chain(self.far.values_mut())
    }

    /// All values in order of their ids. Ids that were never asked for may be among them.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let mut far: Vec<(u32, &T)> = self.far.iter().map(|(id, value)| (*id, value)).collect();
        far.sort_unstable_by_key(|(id, _)| *id);
        self.near.iter().enumerate().map(|(id, value)| (u32::try_from(id).unwrap_or(u32::MAX), value)).chain(far)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_ids_cost_no_memory_and_are_found_again_when_the_vector_reaches_them() {
        let mut table = Table::<u32>::default();
        *table.at(u32::MAX) = 1;
        *table.at(100_000) = 2;
        *table.at(40_000) = 3;
        *table.at(100_001) = 4;
        assert_eq!((*table.at(100_000), *table.at(u32::MAX), table.get(40_000)), (2, 1, Some(&3)));
        assert_eq!(
            table.iter().filter(|(_, v)| **v != 0).map(|(id, _)| id).collect::<Vec<_>>(),
            [40_000, 100_000, 100_001, u32::MAX]
        );
    }
}
