"""Sound: the stand-in knows silence only, and saves it as real FLAC, MP3 and Opus files."""

from __future__ import annotations

from typing import Any

import av
from av.container import OutputContainer

from workers.comfysim.files import SaveNames
from workers.comfysim.nodes.registry import Inputs, NodeFunction, Run, Shown, node
from workers.comfysim.nodes.saving import graph_texts
from workers.comfysim.values import Silence

_OPUS_RATE = 48_000


@node("EmptyAudio")
def empty(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (Silence(inputs["duration"], inputs.get("sample_rate", 44_100), inputs.get("channels", 2)),)


class SilentTrack:
    """A track of silence in a file being written; all tracks must be there before the first is written."""

    def __init__(self, container: OutputContainer, codec: str, sound: Silence) -> None:
        self._container = container
        self._sound = sound
        self._layout = "mono" if sound.channels == 1 else "stereo"
        stream = container.add_stream(codec, rate=sound.rate, layout=self._layout)
        if not isinstance(stream, av.AudioStream):
            raise TypeError(f"{codec} is not a sound codec")
        self._stream = stream

    def write(self) -> None:
        sound, stream = self._sound, self._stream
        frame = av.AudioFrame("s16", self._layout, round(sound.seconds * sound.rate))
        frame.sample_rate = sound.rate
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        for fitting in av.AudioResampler(stream.format, stream.layout, sound.rate).resample(frame):
            self._container.mux(stream.encode(fitting))
        self._container.mux(stream.encode(None))


def _saver(extension: str, codec: str, rate: int | None = None) -> NodeFunction:
    def save(run: Run, inputs: Inputs) -> Shown:
        sound: Silence = inputs["audio"]
        names = SaveNames(run.folders, "output", inputs["filename_prefix"], width=0, height=0)
        path = names.next(extension, ending=run.knobs.version.audio_ending)
        with av.open(str(path), "w") as container:
            container.metadata.update(graph_texts(run))
            track = SilentTrack(container, codec, Silence(sound.seconds, rate or sound.rate, sound.channels))
            track.write()
        return Shown({"audio": [names.entry(path)]}, (sound,))

    return save


node("SaveAudio")(_saver("flac", "flac"))
node("SaveAudioMP3")(_saver("mp3", "libmp3lame"))
node("SaveAudioOpus")(_saver("opus", "libopus", _OPUS_RATE))
