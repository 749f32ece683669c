"""Where the packaged program begins."""

import sys

from dockdesk.__main__ import main

sys.exit(main())
