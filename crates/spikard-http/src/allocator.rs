//! mimalloc, asked by its quick road where a type's alignment is what it gives anyway: the aligned one takes three times
//! the instructions, and a request allocates a dozen times.

use std::{
    alloc::{GlobalAlloc, Layout},
    ffi::c_void,
};

use libmimalloc_sys::{
    mi_free, mi_malloc, mi_malloc_aligned, mi_realloc, mi_realloc_aligned, mi_zalloc, mi_zalloc_aligned,
};

/// For the `#[global_allocator]` of a library that a program loads.
#[derive(Debug)]
pub struct Allocator;

/// Blocks are aligned to 16 bytes, those smaller than that to 8.
const fn is_aligned_anyway(size: usize, alignment: usize) -> bool {
    alignment <= 8 || alignment == 16 && size >= 16
}

// SAFETY: mimalloc is an allocator for every thread, and `is_aligned_anyway` says only what it promises.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (size, alignment) = (layout.size(), layout.align());
        // SAFETY: any size and any power of two may be asked for.
        unsafe {
            if is_aligned_anyway(size, alignment) { mi_malloc(size) } else { mi_malloc_aligned(size, alignment) }.cast()
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let (size, alignment) = (layout.size(), layout.align());
        // SAFETY: as above.
        unsafe {
            if is_aligned_anyway(size, alignment) { mi_zalloc(size) } else { mi_zalloc_aligned(size, alignment) }.cast()
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: the caller has it from here, whichever road it came.
        unsafe { mi_free(block.cast::<c_void>()) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (block, alignment) = (block.cast::<c_void>(), layout.align());
        // SAFETY: as above.
        unsafe {
            let whole = is_aligned_anyway(size, alignment);
            if whole { mi_realloc(block, size) } else { mi_realloc_aligned(block, size, alignment) }.cast()
        }
    }
}
