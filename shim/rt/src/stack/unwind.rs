//! Return addresses of the calling thread, and the files that they lie in: by what std itself is linked with.

pub(super) use here::{IS_POSSIBLE, addresses, place};

/// Longest path that is kept of a file, in bytes.
const PATH: usize = 512;

/// Where an address lies.
pub(super) struct Place {
    /// Where the file with the code is loaded.
    pub(super) base: usize,
    /// The address less that.
    pub(super) offset: u64,
    path: [u8; PATH],
    length: usize,
}

impl Place {
    /// The file's path, as far as it is UTF-8; empty for the program itself.
    pub(super) fn path(&self) -> &str {
        let path = &self.path[..self.length];
        std::str::from_utf8(path).unwrap_or_else(|error| std::str::from_utf8(&path[..error.valid_up_to()]).unwrap_or_default())
    }
}

#[cfg(all(any(target_os = "linux", target_os = "android"), target_pointer_width = "64"))]
#[expect(unsafe_code, reason = "C functions are declared by hand, so that the recorder needs no third-party crate")]
mod here {
    use std::ffi::{CStr, c_char, c_int, c_void};

    use super::{PATH, Place};

    pub(in crate::stack) const IS_POSSIBLE: bool = true;

    /// `dl_phdr_info`, as far as it is needed.
    #[repr(C)]
    struct Module {
        base: usize,
        name: *const c_char,
        segments: *const Segment,
        segment_count: u16,
    }

    /// `Elf64_Phdr`.
    #[repr(C)]
    struct Segment {
        kind: u32,
        flags: u32,
        offset: u64,
        address: u64,
        physical: u64,
        file_size: u64,
        size: u64,
        align: u64,
    }

    const PT_LOAD: u32 = 1;

    unsafe extern "C" {
        fn _Unwind_Backtrace(each: extern "C" fn(*mut c_void, *mut c_void) -> c_int, data: *mut c_void) -> c_int;
        fn _Unwind_GetIP(context: *mut c_void) -> usize;
        fn dl_iterate_phdr(each: extern "C" fn(*const Module, usize, *mut c_void) -> c_int, data: *mut c_void) -> c_int;
    }

    struct Walk<'a> {
        addresses: &'a mut [usize],
        count: usize,
    }

    /// Return addresses, from the innermost on; gives how many there are.
    #[inline(never)]
    pub(in crate::stack) fn addresses(addresses: &mut [usize]) -> usize {
        const GO_ON: c_int = 0;
        const ENOUGH: c_int = 5;
        extern "C" fn each(context: *mut c_void, data: *mut c_void) -> c_int {
            // SAFETY: called with what is passed below, which outlives the walk.
            let walk = unsafe { &mut *data.cast::<Walk<'_>>() };
            // SAFETY: the context is the unwinder's own, valid during this call.
            let address = unsafe { _Unwind_GetIP(context) };
            match walk.addresses.get_mut(walk.count) {
                Some(slot) if address != 0 => {
                    *slot = address;
                    walk.count += 1;
                    GO_ON
                }
                _ => ENOUGH,
            }
        }
        let mut walk = Walk { addresses, count: 0 };
        // SAFETY: the callback never unwinds, and uses its data as what they are.
        unsafe { _Unwind_Backtrace(each, (&raw mut walk).cast()) };
        walk.count
    }

    struct Search {
        address: usize,
        found: Option<Place>,
    }

    /// The file that an address lies in.
    pub(in crate::stack) fn place(address: usize) -> Option<Place> {
        extern "C" fn each(module: *const Module, _: usize, data: *mut c_void) -> c_int {
            // SAFETY: called with what is passed below, and with a module that is valid during this call.
            let (module, search) = unsafe { (&*module, &mut *data.cast::<Search>()) };
            if module.segments.is_null() {
                return 0;
            }
            // SAFETY: the module's own table, valid during this call.
            let segments = unsafe { std::slice::from_raw_parts(module.segments, usize::from(module.segment_count)) };
            let offset = search.address.wrapping_sub(module.base) as u64;
            let is_in = |segment: &Segment| segment.kind == PT_LOAD && offset.wrapping_sub(segment.address) < segment.size;
            if !segments.iter().any(is_in) {
                return 0;
            }
            let mut place = Place { base: module.base, offset, path: [0; PATH], length: 0 };
            if !module.name.is_null() {
                // SAFETY: a C string, valid during this call.
                let name = unsafe { CStr::from_ptr(module.name) }.to_bytes();
                place.length = name.len().min(PATH);
                place.path[..place.length].copy_from_slice(&name[..place.length]);
            }
            search.found = Some(place);
            1
        }
        let mut search = Search { address, found: None };
        // SAFETY: the callback never unwinds, and uses its data as what they are.
        unsafe { dl_iterate_phdr(each, (&raw mut search).cast()) };
        search.found
    }
}

#[cfg(not(all(any(target_os = "linux", target_os = "android"), target_pointer_width = "64")))]
mod here {
    use super::Place;

    pub(in crate::stack) const IS_POSSIBLE: bool = false;

    pub(in crate::stack) fn addresses(_: &mut [usize]) -> usize {
        0
    }

    pub(in crate::stack) fn place(_: usize) -> Option<Place> {
        None
    }
}
