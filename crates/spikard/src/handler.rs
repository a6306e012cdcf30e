//! Handlers: asynchronous functions and closures of up to four arguments.

use std::{future::Future, pin::Pin};

use spikard_core::{Args, Error, Response, SpecError, spec::RouteSpec};

use crate::{Argument, IntoResponse};

/// What a handler is on its way to an answer.
pub(crate) type Running = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;
/// A handler whose arguments and result have no types any more.
pub(crate) type Erased = Box<dyn Fn(Args) -> Running + Send + Sync>;

/// A function that answers requests; `Taken` are the types of its arguments.
pub trait Handler<Taken>: Send + Sync + 'static {
    /// Says to the route what the arguments take.
    ///
    /// # Errors
    /// As [`Argument::declare`].
    fn declare(route: &mut RouteSpec) -> Result<(), SpecError>;

    /// Calls it with bound arguments, one for each of its own.
    ///
    /// # Errors
    /// A value that an argument's type does not take, or the handler's own.
    fn call(&self, args: Args) -> impl Future<Output = Result<Response, Error>> + Send + 'static;
}

pub(crate) fn erased<Taken: 'static>(handler: impl Handler<Taken>) -> Erased {
    Box::new(move |args| Box::pin(handler.call(args)))
}

macro_rules! handlers {
    ($($argument:ident)*) => {
        #[allow(non_snake_case, reason = "a type and its value share a name")]
        impl<F, R, A, $($argument),*> Handler<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> R + Send + Sync + 'static,
            R: Future<Output = A> + Send + 'static,
            A: IntoResponse,
            $($argument: Argument + 'static,)*
        {
            fn declare(route: &mut RouteSpec) -> Result<(), SpecError> {
                $($argument::declare(route)?;)*
                let _ = route;
                Ok(())
            }

            fn call(&self, args: Args) -> impl Future<Output = Result<Response, Error>> + Send + 'static {
                let mut args = args.into_iter();
                let mut running = || {
                    $(let $argument = $argument::take(args.next().ok_or_else(|| Error::internal("an argument is missing"))?)?;)*
                    let _ = &mut args;
                    Ok::<R, Error>(self($($argument),*))
                };
                let running = running();
                async move { running?.await.into_response() }
            }
        }
    };
}

handlers!();
handlers!(First);
handlers!(First Second);
handlers!(First Second Third);
handlers!(First Second Third Fourth);
