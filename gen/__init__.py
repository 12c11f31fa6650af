"""Spec in, kernel driver out: model, plan and rendering of a pvpanic-class device."""
