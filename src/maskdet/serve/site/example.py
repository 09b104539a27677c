"""A commented site file to begin with."""

_EXAMPLE = """\
# What `maskdet serve` watches. Check it with: maskdet serve --check FILE
# ${NAME} in a text is taken from the environment, ${file:PATH} from a file: keep passwords there.
# Paths are counted from this file's folder.

folder = "maskdet-site"         # counts, events, snapshots and recordings are kept here
# timeout = 10                  # seconds a stream's server may be silent
# min_confidence = 0.8          # faces whose label is less sure are uncertain

[[cameras]]
name = "door"
source = "0"                    # a camera's number, or rtsp://user:${DOOR_PASSWORD}@camera/stream
# rotate = 90                   # turn the picture clockwise: 90, 180, 270
# frame_rate = 5                # look at no more frames a second
# min_face = 24                 # leave out lower faces, in pixels
# frozen_after = 30             # seconds of the same picture that are no picture

# [cameras.alerts]
# labels = ["without_mask"]     # what raises an alert; without it all labels but with_mask
# after = 2                     # seconds a person is seen so before an alert
# cooldown = 10                 # seconds without another one of the same person
# repeat = 300                  # remind so often of who stays so; without it never

# [cameras.recording]
# mode = "events"               # off, events (a clip of each alert), always
# before = 5                    # seconds before an alert that its clip has
# after = 10                    # seconds after
# length = 300                  # seconds a file of what is always recorded has
# width = 1280                  # scale larger frames to this, in pixels

# Parts of the picture, in shares of its width and height: watched, or masked out.
# [[cameras.zones]]
# name = "entrance"
# kind = "watched"
# polygon = [[0.1, 0.2], [0.9, 0.2], [0.9, 1.0], [0.1, 1.0]]
# min_face = 40

# People who cross a line are counted: from first to second end, to the right is in.
# [[cameras.lines]]
# name = "threshold"
# ends = [[0.2, 0.6], [0.8, 0.6]]

# When the camera is watched; without it always.
# [[cameras.hours]]
# days = "mon-fri"
# from = "07:00"
# to = "19:00"

# Which networks run, as in maskdet detect.
# [networks]
# model = "mask.json"
# confidence = 0.5
# face_size = 320

[server]
host = "127.0.0.1"              # another address needs users: maskdet serve --add-user NAME FILE
port = 8000
# certificate = "site.pem"      # TLS, with its key
# key = "site.key"
# behind_proxy = true           # a proxy before it speaks TLS

[privacy]
blur_stored = true              # faces in snapshots, clips and recordings
blur_live = false               # and in the live picture

[retention]
days = 30                       # events, snapshots, clips and recordings
gigabytes = 20                  # in all; the oldest go first
statistics_days = 800           # counts
free_gigabytes = 1              # recording stops while the disk has less left

[notifications]
# command = "notify-custodian"  # run without a shell, the alert as JSON on its standard input
# webhook = "https://example.org/alert"
# apprise = ["mailto://user:${MAIL_PASSWORD}@example.org", "tgram://${BOT_TOKEN}/${CHAT}"]
# keep = 86400                  # seconds for which an alert is tried to be delivered
# states = true                 # tell of cameras that go and come back, too

# [notifications.mqtt]
# host = "localhost"
# port = 1883
# user = "maskdet"
# password = "${MQTT_PASSWORD}"
# tls = false
# prefix = "maskdet"
# home_assistant = true         # sensors appear by themselves
# discovery = "homeassistant"
"""


def example_site() -> str:
    """Returns the text of a commented site file: one camera, every setting named."""
    return _EXAMPLE
