"""Qt item models over core resources; QtCore and QtGui only."""
