"""An RTSP server for the tests, ``rtsp_server.py PORT [PICTURE SIDE]``: rtsp://127.0.0.1:PORT/door.

Its grey pictures say when they were taken: their level is the clock's, see `level_at`. With a
picture, a file of SIDE x SIDE pixels in I420, only its topmost rows do. Run by the Python of the
system, for which Debian packages GStreamer's bindings (gir1.2-gst-rtsp-server-1.0,
python3-gi, gstreamer1.0-plugins-base and -good).
"""

import sys
import time
from pathlib import Path

WIDTH, HEIGHT, FRAMES_A_SECOND = 64, 48, 30
CLOCK_ROWS = 8
LEVELS_A_SECOND, LOWEST, LEVELS = 10, 20, 200


def level_at(moment: float) -> int:
    """Returns the grey level of a picture taken at a time of the clock; it comes round in 20 s."""
    return LOWEST + int(moment * LEVELS_A_SECOND) % LEVELS


def serve(port: str, picture: str = "", side: str = "") -> None:
    """Serves until killed."""
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer

    Gst.init(None)
    # The test asks first whether the parts are there.
    parts = ("appsrc", "jpegenc", "rtpjpegpay")
    missing = [name for name in parts if not Gst.ElementFactory.find(name)]
    if missing or not port:
        sys.exit(f"GStreamer has no {missing}" if missing else 0)

    width, height = (int(side), int(side)) if side else (WIDTH, HEIGHT)
    below = Path(picture).read_bytes()[CLOCK_ROWS * width :] if picture else b""

    def feed(_: object, media: object) -> None:
        source = media.get_element().get_child_by_name("camera")

        def push() -> bool:
            grey = bytes([level_at(time.time())])
            data = grey * (CLOCK_ROWS * width) + below
            if not below:
                data = grey * (width * height) + bytes([128]) * (width * height // 2)
            result = source.emit("push-buffer", Gst.Buffer.new_wrapped(data))
            return result == Gst.FlowReturn.OK

        GLib.timeout_add(1000 // FRAMES_A_SECOND, push)

    factory = GstRtspServer.RTSPMediaFactory()
    caps = f"video/x-raw,format=I420,width={width},height={height},framerate={FRAMES_A_SECOND}/1"
    factory.set_launch(
        f"( appsrc name=camera is-live=true do-timestamp=true format=time caps={caps} "
        "! jpegenc ! rtpjpegpay name=pay0 )"
    )
    factory.set_shared(True)
    factory.connect("media-configure", feed)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    server.get_mount_points().add_factory("/door", factory)
    if not server.attach(None):
        sys.exit(f"port {port} is taken")
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    serve(*sys.argv[1:])
