//! A server in operation: its second wall, reload, drain, supervisor and logs.

mod drain;
mod logs;
mod reload;
mod supervisor;
mod wall;
