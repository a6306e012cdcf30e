//! Values of the running callback: the few calls of Node-API that the hot path needs, each checked, none that allocates
//! a wrapper of its own.

use std::{marker::PhantomData, mem::MaybeUninit, ptr};

use bytes::Bytes;
use napi::{
    bindgen_prelude::{Buffer, FromNapiValue, ToNapiValue},
    sys,
};

/// What went wrong between the engine and the package: a fault of one of the two, never of user code.
pub(crate) use spikard_core::said::Fault;
/// What kind of value it is.
pub(crate) use sys::ValueType as Kind;

use crate::refused;

/// Up to here a copy is cheaper than an owner.
const COPIED: usize = 4096;

/// The environment of the callback that is running.
#[derive(Clone, Copy)]
pub(crate) struct Js<'a>(sys::napi_env, PhantomData<&'a ()>);

/// A value that lives as long as the callback.
#[derive(Clone, Copy)]
pub(crate) struct Val<'a>(sys::napi_value, PhantomData<&'a ()>);

/// A value that outlives its callback, on the thread that made it.
pub(crate) struct Kept(sys::napi_env, sys::napi_ref);

impl Drop for Kept {
    fn drop(&mut self) {
        // SAFETY: it was made in this environment, whose thread it never leaves.
        unsafe { sys::napi_delete_reference(self.0, self.1) };
    }
}

/// Calls a function of Node-API, whose last argument is where the result goes. `Err`: its status.
macro_rules! ask {
    ($js:expr, $function:ident($($argument:expr),*)) => {{
        let mut found = MaybeUninit::uninit();
        // SAFETY: the environment is that of the running callback, and so are the values among the arguments; what others
        // point to is there until the function returns, which copies what it keeps. The place for the result is ours.
        let status = unsafe { sys::$function($js.0, $($argument,)* found.as_mut_ptr()) };
        // SAFETY: where it succeeds it has written its result.
        if status == sys::Status::napi_ok { Ok(unsafe { found.assume_init() }) } else { Err(status) }
    }};
}

impl<'a> Js<'a> {
    pub(crate) fn of(env: &'a napi::Env) -> Self {
        Self(env.raw(), PhantomData)
    }

    /// Where nothing can go wrong.
    fn got<T>(found: Result<T, sys::napi_status>) -> T {
        found.expect("the environment is that of the running callback")
    }

    fn made(made: Result<sys::napi_value, sys::napi_status>) -> Val<'a> {
        Val(Self::got(made), PhantomData)
    }

    /// What was found, or what is wrong where nothing was.
    fn found<T>(self, found: Result<T, sys::napi_status>, what: &str) -> Result<T, Fault> {
        found.map_err(|status| {
            if status == sys::Status::napi_pending_exception {
                self.thrown();
            }
            Fault::new(what)
        })
    }

    fn value(self, found: Result<sys::napi_value, sys::napi_status>, what: &str) -> Result<Val<'a>, Fault> {
        self.found(found, what).map(|value| Val(value, PhantomData))
    }

    /// For a method that answers it.
    pub(crate) fn answer(self, found: Result<Val<'a>, Fault>) -> napi::Result<napi::Unknown<'static>> {
        // SAFETY: both are of the running callback, whose answer it becomes at once.
        found.map(|Val(value, _)| unsafe { napi::Unknown::from_raw_unchecked(self.0, value) }).map_err(refused)
    }

    /// Takes what was thrown.
    fn thrown(self) -> Val<'a> {
        Self::made(ask!(self, napi_get_and_clear_last_exception()))
    }

    pub(crate) fn undefined(self) -> Val<'a> {
        Self::made(ask!(self, napi_get_undefined()))
    }

    pub(crate) fn null(self) -> Val<'a> {
        Self::made(ask!(self, napi_get_null()))
    }

    pub(crate) fn bool(self, truth: bool) -> Val<'a> {
        Self::made(ask!(self, napi_get_boolean(truth)))
    }

    pub(crate) fn number(self, number: f64) -> Val<'a> {
        Self::made(ask!(self, napi_create_double(number)))
    }

    pub(crate) fn id(self, id: u32) -> Val<'a> {
        self.number(id.into())
    }

    /// An integer: a number where numbers are exact, else a bigint.
    pub(crate) fn integer(self, integer: i64) -> Val<'a> {
        const EXACT: i64 = (1 << 53) - 1;
        let is_exact = (-EXACT..=EXACT).contains(&integer);
        let made = if is_exact {
            ask!(self, napi_create_int64(integer))
        } else {
            ask!(self, napi_create_bigint_int64(integer))
        };
        Self::made(made)
    }

    /// Text that is known to be UTF-8.
    pub(crate) fn text(self, text: impl AsRef<[u8]>) -> Result<Val<'a>, Fault> {
        let text = text.as_ref();
        let length = text.len().cast_signed();
        self.value(ask!(self, napi_create_string_utf8(text.as_ptr().cast(), length)), "a text is too long")
    }

    /// The same, or null.
    pub(crate) fn optional(self, text: Option<&str>) -> Result<Val<'a>, Fault> {
        text.map_or(Ok(self.null()), |text| self.text(text))
    }

    /// Text of one letter for each byte.
    pub(crate) fn latin1(self, text: &[u8]) -> Result<Val<'a>, Fault> {
        let length = text.len().cast_signed();
        self.value(ask!(self, napi_create_string_latin1(text.as_ptr().cast(), length)), "a text is too long")
    }

    /// Bytes as a `Buffer`: of a short one a copy, a long one is lent until it is collected.
    pub(crate) fn buffer(self, bytes: Bytes) -> Result<Val<'a>, Fault> {
        if bytes.len() <= COPIED {
            let (start, none) = (bytes.as_ptr().cast(), ptr::null_mut());
            return self.value(ask!(self, napi_create_buffer_copy(bytes.len(), start, none)), "no memory for a buffer");
        }
        let owned: Vec<u8> = bytes.into();
        // SAFETY: the environment is that of the running callback.
        let made = unsafe { Buffer::to_napi_value(self.0, Buffer::from(owned)) };
        made.map(|value| Val(value, PhantomData)).map_err(Fault::new)
    }

    pub(crate) fn array(self, items: &[Val<'a>]) -> Result<Val<'a>, Fault> {
        let array = Self::made(ask!(self, napi_create_array_with_length(items.len())));
        for (index, item) in items.iter().enumerate() {
            // SAFETY: both values are of the running callback.
            let status = unsafe { sys::napi_set_element(self.0, array.0, index as u32, item.0) };
            self.checked(status, "an array takes no item")?;
        }
        Ok(array)
    }

    /// A plain object. It is defined member by member: a member called `__proto__` is one like any other.
    pub(crate) fn object(self, members: &[(Val<'a>, Val<'a>)]) -> Result<Val<'a>, Fault> {
        let object = Self::made(ask!(self, napi_create_object()));
        let attributes = sys::PropertyAttributes::writable
            | sys::PropertyAttributes::enumerable
            | sys::PropertyAttributes::configurable;
        let described = members.iter().map(|(name, value)| sys::napi_property_descriptor {
            utf8name: ptr::null(),
            name: name.0,
            method: None,
            getter: None,
            setter: None,
            value: value.0,
            attributes,
            data: ptr::null_mut(),
        });
        let described: Vec<_> = described.collect();
        // SAFETY: the values are of the running callback; the descriptors are read during the call.
        let status = unsafe { sys::napi_define_properties(self.0, object.0, described.len(), described.as_ptr()) };
        self.checked(status, "an object takes no member")?;
        Ok(object)
    }

    /// Calls a function. `Err` is what it threw.
    pub(crate) fn call(self, function: Val<'a>, args: &[Val<'a>]) -> Result<Val<'a>, Val<'a>> {
        let this = self.undefined();
        // A `Val` is nothing but a `napi_value`.
        let called = ask!(self, napi_call_function(this.0, function.0, args.len(), args.as_ptr().cast()));
        called.map(|value| Val(value, PhantomData)).map_err(|_| self.thrown())
    }

    /// One of [`Kind`]'s.
    pub(crate) fn kind(self, value: Val<'a>) -> sys::napi_valuetype {
        Self::got(ask!(self, napi_typeof(value.0)))
    }

    pub(crate) fn read_number(self, value: Val<'a>) -> Result<f64, Fault> {
        self.found(ask!(self, napi_get_value_double(value.0)), "expected a number")
    }

    pub(crate) fn read_id(self, value: Val<'a>) -> Result<u32, Fault> {
        self.found(ask!(self, napi_get_value_uint32(value.0)), "expected an id")
    }

    pub(crate) fn read_bool(self, value: Val<'a>) -> Result<bool, Fault> {
        self.found(ask!(self, napi_get_value_bool(value.0)), "expected a boolean")
    }

    /// Text in UTF-8; a surrogate that stands alone is replaced.
    pub(crate) fn read_utf8(self, value: Val<'a>) -> Result<Vec<u8>, Fault> {
        let what = "expected a text";
        // How many letters it has, the engine knows; how many bytes, it would have to count.
        let letters = self.found(ask!(self, napi_get_value_string_utf16(value.0, ptr::null_mut(), 0)), what)?;
        let mut text: Vec<u8> = Vec::with_capacity(3 * letters + 1);
        let (start, room) = (text.as_mut_ptr().cast(), text.capacity());
        let length = self.found(ask!(self, napi_get_value_string_utf8(value.0, start, room)), what)?;
        // SAFETY: so many bytes were written, no more than there is room for.
        unsafe { text.set_len(length) };
        Ok(text)
    }

    /// The same, as a text.
    pub(crate) fn read_text(self, value: Val<'a>) -> Result<String, Fault> {
        String::from_utf8(self.read_utf8(value)?).map_err(|_| Fault::new("expected a text"))
    }

    /// The same, to be sent.
    pub(crate) fn read_sent(self, value: Val<'a>) -> Result<Bytes, Fault> {
        let text = self.read_utf8(value)?;
        // A long one keeps its room, which nothing has touched.
        Ok(if text.len() <= COPIED { Bytes::copy_from_slice(&text) } else { text.into() })
    }

    /// The bytes of a `Uint8Array`; a long one is lent, not copied.
    pub(crate) fn read_bytes(self, value: Val<'a>) -> Result<Bytes, Fault> {
        // SAFETY: the value is of the running callback.
        let bytes = unsafe { Buffer::from_napi_value(self.0, value.0) };
        let bytes = bytes.map_err(|_| Fault::new("expected bytes"))?;
        Ok(if bytes.len() <= COPIED { Bytes::copy_from_slice(&bytes) } else { Bytes::from_owner(bytes) })
    }

    pub(crate) fn is_array(self, value: Val<'a>) -> bool {
        ask!(self, napi_is_array(value.0)).unwrap_or(false)
    }

    pub(crate) fn item(self, array: Val<'a>, index: u32) -> Result<Val<'a>, Fault> {
        self.value(ask!(self, napi_get_element(array.0, index)), "expected an array")
    }

    pub(crate) fn items(self, array: Val<'a>) -> Result<Vec<Val<'a>>, Fault> {
        let length = self.found(ask!(self, napi_get_array_length(array.0)), "expected an array")?;
        (0..length).map(|index| self.item(array, index)).collect()
    }

    pub(crate) fn member(self, object: Val<'a>, name: &str) -> Result<Val<'a>, Fault> {
        let name = self.text(name)?;
        self.value(ask!(self, napi_get_property(object.0, name.0)), "expected an object")
    }

    /// Keeps an object or a function.
    pub(crate) fn keep(self, value: Val<'a>) -> Result<Kept, Fault> {
        let kept = self.found(ask!(self, napi_create_reference(value.0, 1)), "expected an object")?;
        Ok(Kept(self.0, kept))
    }

    pub(crate) fn kept(self, kept: &Kept) -> Val<'a> {
        Self::made(ask!(self, napi_get_reference_value(kept.1)))
    }

    /// Runs a part of the callback whose values go when it is over.
    pub(crate) fn within(self, run: impl FnOnce(Js<'_>)) {
        let scope = ask!(self, napi_open_handle_scope());
        // What it makes cannot leave it, for its values live no longer.
        run(Js(self.0, PhantomData));
        if let Ok(scope) = scope {
            // SAFETY: it was opened above, and what was opened within has been closed.
            unsafe { sys::napi_close_handle_scope(self.0, scope) };
        }
    }

    pub(crate) fn checked(self, status: sys::napi_status, what: &str) -> Result<(), Fault> {
        self.found(if status == sys::Status::napi_ok { Ok(()) } else { Err(status) }, what)
    }
}

impl<'a> Val<'a> {
    pub(crate) fn of(unknown: napi::Unknown<'a>) -> Self {
        Self(napi::JsValue::raw(&unknown), PhantomData)
    }

    pub(crate) fn raw(self) -> sys::napi_value {
        self.0
    }
}

/// A `Val` is handed to Node-API as the `napi_value` that it is.
const _: () = assert!(size_of::<Val<'static>>() == size_of::<sys::napi_value>());
