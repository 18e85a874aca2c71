"""Servers, images and clients that the integration tests are written with. See README.md."""
