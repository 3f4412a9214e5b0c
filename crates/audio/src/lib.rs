//! Signal work on streams of samples: music bed, mix, loudness, true peak; bounded memory.
