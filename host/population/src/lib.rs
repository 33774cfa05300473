//! host/population
