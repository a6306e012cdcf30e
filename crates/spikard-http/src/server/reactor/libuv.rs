//! A reactor on a loop of libuv. Its functions belong to the program that has loaded this one, and are looked up there: not
//! every program has them.

use std::{
    cell::{Cell, RefCell},
    ffi::{CStr, c_int, c_void},
    io, mem,
    rc::Rc,
};

use super::Reactor;

type Handle = *mut c_void;

type Turn = Rc<dyn Fn(bool)>;

/// Of `uv_poll_event`.
const READABLE: c_int = 1;
/// Of `uv_handle_type`.
const POLL: c_int = 8;
const PREPARE: c_int = 9;

/// Calls back when sockets of a reactor are ready, with true, and before its loop waits, with false. By itself it keeps no
/// loop running. Dropped, it calls no more.
pub struct LoopWatch(*mut Watched);

/// What both handles of libuv point to, until both are closed.
struct Watched {
    uv: Functions,
    turn: RefCell<Option<Turn>>,
    closed: Cell<Option<Box<dyn FnOnce()>>>,
    /// The memory of the handles, of the size and alignment that libuv asks for.
    poll: Box<[u128]>,
    prepare: Box<[u128]>,
    open: Cell<u8>,
}

macro_rules! functions {
    ($($name:ident: $full:literal, fn($($argument:ty),*) $(-> $answer:ty)?;)*) => {
        /// What is used of libuv.
        struct Functions {
            // SAFETY: nothing is done here; who calls one says why that is sound.
            $($name: unsafe extern "C" fn($($argument),*) $(-> $answer)?,)*
        }

        impl Functions {
            /// None where the program has no libuv, or does not show it.
            fn find() -> Option<Self> {
                Some(Self {
                    $($name: {
                        // SAFETY: a name that ends with a zero is looked up, and nothing else is done.
                        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, <CStr>::as_ptr($full)) };
                        if found.is_null() {
                            return None;
                        }
                        // SAFETY: the function of this name has this type in every libuv since 1.19.
                        unsafe { mem::transmute::<*mut c_void, unsafe extern "C" fn($($argument),*) $(-> $answer)?>(found) }
                    },)*
                })
            }
        }
    };
}

functions! {
    handle_size: c"uv_handle_size", fn(c_int) -> usize;
    poll_init: c"uv_poll_init", fn(*mut c_void, Handle, c_int) -> c_int;
    poll_start: c"uv_poll_start", fn(Handle, c_int, extern "C" fn(Handle, c_int, c_int)) -> c_int;
    prepare_init: c"uv_prepare_init", fn(*mut c_void, Handle) -> c_int;
    prepare_start: c"uv_prepare_start", fn(Handle, extern "C" fn(Handle)) -> c_int;
    unref: c"uv_unref", fn(Handle);
    close: c"uv_close", fn(Handle, extern "C" fn(Handle));
}

impl Functions {
    fn memory(&self, kind: c_int) -> Box<[u128]> {
        // SAFETY: it only answers a number.
        let size = unsafe { (self.handle_size)(kind) };
        vec![0; size.div_ceil(size_of::<u128>())].into()
    }
}

impl Watched {
    fn handles(&mut self) -> [Handle; 2] {
        [self.poll.as_mut_ptr().cast(), self.prepare.as_mut_ptr().cast()]
    }
}

impl LoopWatch {
    /// Has a loop watch a reactor. `closed` is called once the loop knows nothing of this any more.
    ///
    /// # Safety
    ///
    /// `event_loop` is a `uv_loop_t` of the program's own libuv, run by this thread, and there until `closed` is called.
    pub unsafe fn open(
        event_loop: *mut c_void,
        reactor: &Reactor,
        turn: impl Fn(bool) + 'static,
        closed: impl FnOnce() + 'static,
    ) -> io::Result<Self> {
        let uv = Functions::find().ok_or(io::ErrorKind::Unsupported)?;
        let (poll, prepare) = (uv.memory(POLL), uv.memory(PREPARE));
        let turn = RefCell::new(Some(Rc::new(turn) as Turn));
        let closed: Cell<Option<Box<dyn FnOnce()>>> = Cell::new(Some(Box::new(closed)));
        let mut watched = Box::new(Watched { uv, turn, closed, poll, prepare, open: Cell::new(2) });
        let [poll, prepare] = watched.handles();
        // SAFETY: as the caller promises; the memory is of the size that libuv says.
        let refused = unsafe { (watched.uv.poll_init)(event_loop, poll, reactor.descriptor()) };
        if refused < 0 {
            return Err(io::Error::from_raw_os_error(-refused));
        }
        let place = Box::into_raw(watched);
        // SAFETY: as above. A handle begins with a pointer that is its user's, and its memory is there until it is closed.
        // None of these calls refuses anything.
        unsafe {
            let uv = &(*place).uv;
            (uv.prepare_init)(event_loop, prepare);
            *poll.cast() = place;
            *prepare.cast() = place;
            (uv.poll_start)(poll, READABLE, when_ready);
            (uv.prepare_start)(prepare, before_waiting);
            (uv.unref)(poll);
            (uv.unref)(prepare);
        }
        Ok(Self(place))
    }
}

impl Drop for LoopWatch {
    fn drop(&mut self) {
        // SAFETY: it is there until both handles are closed, which nobody else begins.
        let watched = unsafe { &mut *self.0 };
        drop(watched.turn.take());
        for handle in watched.handles() {
            // SAFETY: both were initialised.
            unsafe { (watched.uv.close)(handle, when_closed) };
        }
    }
}

extern "C" fn when_ready(handle: Handle, _: c_int, _: c_int) {
    call(handle, true);
}

extern "C" fn before_waiting(handle: Handle) {
    call(handle, false);
}

fn call(handle: Handle, ready: bool) {
    // SAFETY: `open` has put it there, and a handle that calls is not closed.
    let watched = unsafe { &**handle.cast::<*const Watched>() };
    let turn = watched.turn.borrow().clone();
    if let Some(turn) = turn {
        turn(ready);
    }
}

extern "C" fn when_closed(handle: Handle) {
    // SAFETY: as in `call`; it is given back when the last handle is closed.
    let place = unsafe { *handle.cast::<*mut Watched>() };
    // SAFETY: as above.
    let watched = unsafe { &*place };
    watched.open.set(watched.open.get() - 1);
    if watched.open.get() == 0 {
        let closed = watched.closed.take();
        // SAFETY: it came from a box, and nobody has it any more.
        drop(unsafe { Box::from_raw(place) });
        if let Some(closed) = closed {
            closed();
        }
    }
}
