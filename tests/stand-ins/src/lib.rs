//! A GitHub and stores on loopback.
