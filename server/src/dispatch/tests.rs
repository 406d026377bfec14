//! Tests of the whole dispatcher with paused time; each sandbox is a task of the same runtime.

mod acquire;
mod act;
mod body;
mod delivery;
mod drain;
mod fake;
mod hang_up;
mod idle;
mod init;
mod load;
mod memory;
mod outcome;
mod paused;
mod permit;
mod provisioned;
mod retire;
mod runtime;
mod settle;
mod setup;
mod storm;
mod timeout;
mod world;
