//! Connections on the main thread, where the loop of the host is libuv's.

use std::{
    cell::Cell,
    ffi::c_void,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
    rc::{Rc, Weak},
};

use napi::{Env, sys};

use crate::{
    engine::Loop,
    js::{Fault, Js},
};

/// So many turns come in a row before others of the loop have theirs.
const TURNS: usize = 8;

/// Has the loop of this environment call the turns of a worker whose connections live here.
pub(crate) fn watch(env: &Env, here: &Rc<Loop>) -> Result<(), Fault> {
    let scope = Scope::new(env, here)?;
    let (called, closed) = (scope.clone(), scope.clone());
    let mut event_loop = ptr::null_mut();
    // SAFETY: the environment is that of the running callback.
    let found = unsafe { sys::napi_get_uv_event_loop(env.raw(), &raw mut event_loop) };
    if found != sys::Status::napi_ok {
        return Err(Fault::new("the host runs no loop of libuv"));
    }
    // SAFETY: the loop is that of this thread, which lives until the environment's clean-up has heard of the end.
    let watched = unsafe { here.home.watch(event_loop.cast(), move |look| called.turn(look), move || closed.end()) };
    match watched {
        Ok(_) => here.inbox.bell().is_looked_at(),
        Err(_) => scope.end(),
    }
    watched.map(drop).map_err(Fault::new)
}

/// In which the loop, and no code of the host, calls.
struct Scope {
    env: sys::napi_env,
    context: sys::napi_async_context,
    here: Weak<Loop>,
    /// An environment that ends waits until this is given back.
    hook: Cell<sys::napi_async_cleanup_hook_handle>,
}

impl Scope {
    fn new(env: &Env, here: &Rc<Loop>) -> Result<Rc<Self>, Fault> {
        let js = Js::of(env);
        let (env, name, mut context, mut hook) = (env.raw(), js.text("spikard")?, ptr::null_mut(), ptr::null_mut());
        // SAFETY: the environment is that of the running callback; a context may lack a resource.
        let made = unsafe { sys::napi_async_init(env, ptr::null_mut(), name.raw(), &raw mut context) };
        js.checked(made, "no context was made")?;
        let scope = Rc::new(Self { env, context, here: Rc::downgrade(here), hook: Cell::new(ptr::null_mut()) });
        let data = Rc::into_raw(scope.clone()).cast_mut().cast();
        // SAFETY: as above; `end` takes the hook away before it gives the scope back.
        let added = unsafe { sys::napi_add_async_cleanup_hook(env, Some(leave), data, &raw mut hook) };
        scope.hook.set(hook);
        js.checked(added, "no clean-up was arranged").map(|()| scope)
    }

    /// What user code asks for behind a turn that comes before the loop waits, nobody else would see in time.
    fn turn(&self, look: bool) {
        let Some(here) = self.here.upgrade() else { return };
        if look {
            return self.call(&here, true);
        }
        for _ in 0..TURNS {
            if !here.inbox.is_rung() {
                return;
            }
            self.call(&here, false);
        }
        here.inbox.bell().call();
    }

    fn call(&self, here: &Loop, look: bool) {
        let (mut handles, mut calls) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the environment lives until `end`, and its loop calls this on its thread. The scopes are closed in
        // their order, the inner one with what the host does behind every call of its loop.
        unsafe {
            sys::napi_open_handle_scope(self.env, &raw mut handles);
            sys::napi_open_callback_scope(self.env, ptr::null_mut(), self.context, &raw mut calls);
            let env = Env::from_raw(self.env);
            let _ = catch_unwind(AssertUnwindSafe(|| here.turn(Js::of(&env), look)));
            sys::napi_close_callback_scope(self.env, calls);
            sys::napi_close_handle_scope(self.env, handles);
        }
    }

    /// The loop knows nothing of it any more.
    fn end(&self) {
        // SAFETY: both were made by `new`, and this is called once. The hook keeps the environment until here.
        unsafe {
            sys::napi_async_destroy(self.env, self.context);
            sys::napi_remove_async_cleanup_hook(self.hook.get());
            Rc::decrement_strong_count(ptr::from_ref(self));
        }
    }
}

extern "C" fn leave(_: sys::napi_async_cleanup_hook_handle, data: *mut c_void) {
    // SAFETY: `new` has put it there, and `end` has not been called.
    let scope = unsafe { &*data.cast::<Scope>() };
    if let Some(here) = scope.here.upgrade() {
        here.home.close();
    }
}
