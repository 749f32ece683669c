"""The stage graph beside the text: where it comes from, what is copied from where, and which stage the cursor is in."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QScrollArea, QStackedWidget, QToolTip, QVBoxLayout, QWidget

from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from dockdesk.ui.panes.dockerfiles.stage_graph import (
    GraphEdge,
    GraphNode,
    StageGraph,
    stage_graph,
)
from dockdesk.ui.panes.dockerfiles.stage_routes import routed
from dockdesk.ui.panes.dockerfiles.views import DocumentView
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.empty import EmptyState
from dockdesk.ui.widgets.plain import one_line, plain_tip

_WIDE, _HIGH, _IMAGE_HIGH = 148, 50, 30
_GAP_X, _GAP_Y, _EDGE = 10, 32, 12
_NARROWEST = 80


class StageCanvas(QWidget):
    """Painted by hand; ``line_chosen`` when a stage, or an image's first mention, is clicked."""

    line_chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._graph = StageGraph()
        self._boxes: dict[str, QRectF] = {}
        self._paths: dict[GraphEdge, QPainterPath] = {}
        self._current = ""
        self._hovered = ""
        self._focused = 0
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Stages")
        theme.changed.connect(self.update)

    @property
    def graph(self) -> StageGraph:
        return self._graph

    @property
    def boxes(self) -> Mapping[str, QRectF]:
        """Node id → where it is drawn."""
        return self._boxes

    @property
    def paths(self) -> Mapping[GraphEdge, QPainterPath]:
        """Edge → the line that is drawn for it."""
        return self._paths

    @property
    def current(self) -> str:
        """The id of the stage that is marked."""
        return self._current

    def set_graph(self, graph: StageGraph) -> None:
        if graph == self._graph:
            return
        self._graph = graph
        self._focused = 0
        self.setAccessibleDescription(
            "; ".join(f"{node.title}, line {node.line + 1}" for node in graph.nodes)
        )
        self._lay_out()
        self.updateGeometry()
        self.update()

    def set_line(self, line: int) -> None:
        """Mark the stage that the line belongs to."""
        node = self._graph.node_at(line)
        current = node.id if node is not None else ""
        if current != self._current:
            self._current = current
            self.update()

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        columns = max((node.place for node in self._graph.nodes), default=0) + 1
        bottom = max((box.bottom() for box in self._boxes.values()), default=0.0)
        return QSize(
            2 * _EDGE + columns * _NARROWEST + (columns - 1) * _GAP_X, round(bottom) + _EDGE
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        rows: dict[int, list[GraphNode]] = {}
        for node in self._graph.nodes:
            rows.setdefault(node.row, []).append(node)
        self._boxes = {}
        top = float(_EDGE)
        for row in sorted(rows):
            nodes = rows[row]
            room = self.width() - 2 * _EDGE - (len(nodes) - 1) * _GAP_X
            wide = max(_NARROWEST, min(_WIDE, room // len(nodes)))
            whole = len(nodes) * wide + (len(nodes) - 1) * _GAP_X
            left = max(float(_EDGE), (self.width() - whole) / 2)
            high = max(_HIGH if node.stage else _IMAGE_HIGH for node in nodes)
            for node in nodes:
                own = _HIGH if node.stage else _IMAGE_HIGH
                self._boxes[node.id] = QRectF(left, top + high - own, wide, own)
                left += wide + _GAP_X
            top += high + _GAP_Y
        self._paths = routed(self._graph, self._boxes)

    # Painting.

    def paintEvent(self, event: QPaintEvent) -> None:
        seen = QRectF(event.rect()).adjusted(-_EDGE, -_EDGE, _EDGE, _EDGE)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for edge in self._graph.edges:
            path = self._paths.get(edge)
            # A straight line has no width, and nothing intersects what has none.
            if path is not None and path.controlPointRect().adjusted(-1, 0, 1, 0).intersects(seen):
                self._paint_edge(painter, edge, path)
        for number, node in enumerate(self._graph.nodes):
            if not self._boxes[node.id].intersects(seen):
                continue
            self._paint_node(painter, node, self.hasFocus() and number == self._focused)
        painter.end()

    def _paint_edge(self, painter: QPainter, edge: GraphEdge, path: QPainterPath) -> None:
        lit = self._hovered in {edge.source, edge.target} or edge.target == self._current
        pen = QPen(self._theme.colour("accent" if lit else "muted"), 1.5)
        if edge.kind != "from":
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(pen.color())
        end = path.currentPosition()
        head = QPainterPath(end)
        head.lineTo(end.x() - 4, end.y() - 6)
        head.lineTo(end.x() + 4, end.y() - 6)
        painter.drawPath(head)

    def _paint_node(self, painter: QPainter, node: GraphNode, focused: bool) -> None:
        theme, box = self._theme, self._boxes[node.id]
        current = node.id == self._current
        ground = "accent_surface" if current else "raised" if node.stage else "neutral_surface"
        if node.id == self._hovered and not current:
            ground = "hover"
        line = theme.colour("accent" if current or focused else "control_line")
        pen = QPen(line, 2 if focused else 1)
        if not node.used:
            pen.setStyle(Qt.PenStyle.DotLine)
        painter.setPen(pen if node.stage or focused or not node.used else Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(ground))
        radius = 8 if node.stage else box.height() / 2
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
        room = box.adjusted(7, 0, -7, 0)
        centre = Qt.AlignmentFlag.AlignHCenter
        title = theme.font("strong" if node.stage else "small")
        painter.setFont(title)
        painter.setPen(theme.colour("text" if node.used else "muted"))
        words = QFontMetrics(title).elidedText(
            one_line(node.title, 120), Qt.TextElideMode.ElideMiddle, int(room.width())
        )
        if not node.stage:
            painter.drawText(room, centre | Qt.AlignmentFlag.AlignVCenter, words)
            return
        painter.drawText(room.adjusted(0, 7, 0, 0), centre | Qt.AlignmentFlag.AlignTop, words)
        small = theme.font("small")
        painter.setFont(small)
        painter.setPen(theme.colour("muted"))
        said = "result" if node.result else node.detail if node.used else "not used"
        detail = QFontMetrics(small).elidedText(
            said, Qt.TextElideMode.ElideRight, int(room.width())
        )
        painter.drawText(room.adjusted(0, 0, 0, -7), centre | Qt.AlignmentFlag.AlignBottom, detail)

    # The pointer and keys.

    def _node_at(self, point: QPointF) -> GraphNode | None:
        return next((n for n in self._graph.nodes if self._boxes[n.id].contains(point)), None)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        node = self._node_at(event.position())
        hovered = node.id if node is not None else ""
        if hovered != self._hovered:
            self._hovered = hovered
            pointing = Qt.CursorShape.PointingHandCursor if node else Qt.CursorShape.ArrowCursor
            self.setCursor(pointing)
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hovered = ""
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        node = self._node_at(event.position())
        if node is not None and event.button() == Qt.MouseButton.LeftButton:
            self._focused = self._graph.nodes.index(node)
            self.line_chosen.emit(node.line)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Left: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_Right: 1}
        by = step.get(Qt.Key(event.key()))
        nodes = self._graph.nodes
        if by is not None and nodes:
            self._focused = (self._focused + by) % len(nodes)
            self.update()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space} and nodes:
            self.line_chosen.emit(nodes[self._focused].line)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            node = self._node_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), plain_tip(self._tip(node)), self, QRect())
            return True
        return super().event(event)

    def _tip(self, node: GraphNode | None) -> str:
        if node is None:
            return ""
        titles = {other.id: other.title for other in self._graph.nodes}
        said = {"from": "builds on", "copy": "copies from", "mount": "mounts"}
        lines = [node.title if node.stage else f"{node.title} ({node.detail})"]
        for edge in self._graph.edges:
            if edge.target == node.id:
                times = f" ({edge.count} times)" if edge.count > 1 else ""
                lines.append(f"{said[edge.kind]} {titles.get(edge.source, '')}{times}")
        if not node.used:
            lines.append("The result does not need it: it is not built.")
        return "\n".join(lines)


class StagesView(DocumentView):
    """Follows the text and the cursor."""

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.canvas = StageCanvas(context.theme)
        self.canvas.line_chosen.connect(self._on_line_chosen)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # what is in it takes the keys
        area.setWidget(self.canvas)
        area.viewport().setAutoFillBackground(False)
        self.canvas.setAutoFillBackground(False)
        self._empty = EmptyState(
            context.theme, "list-tree", "No stages yet", "Each FROM begins one."
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(area)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._stack)

    def set_document(self, document: OpenDocument | None) -> None:
        super().set_document(document)
        if document is not None:
            self.follow(document.analysed, self._show)
            self.follow(document.cursor_moved, self._on_cursor_moved)
        self._show()

    def shown(self) -> None:
        self._show()

    def _show(self) -> None:
        document = self.document
        parsed = document.analysis.document if document is not None else None
        graph = stage_graph(parsed) if parsed is not None else StageGraph()
        self.canvas.set_graph(graph)
        self._stack.setCurrentIndex(1 if graph.nodes else 0)
        if document is not None:
            self.canvas.set_line(document.line)

    def _on_cursor_moved(self, line: int, _column: int) -> None:
        self.canvas.set_line(line)

    def _on_line_chosen(self, line: int) -> None:
        if self.document is not None:
            self.document.go_to(line)
