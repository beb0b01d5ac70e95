"""What the book teaches with: predictions and exercises, figures and players. The core never needs it."""

from mlcore.teaching.practice import check, predict, solved

__all__ = ["check", "predict", "solved"]
