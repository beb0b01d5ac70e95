// The frames of a player are fetched as soon as a reader is about to move it, so that none is waited for.
for (const about of ["pointerover", "focusin"]) {
  document.addEventListener(about, ({target}) => {
    const player = target.closest?.(".mlcore-frames");
    for (const image of player?.querySelectorAll("img[loading=lazy]") ?? []) image.loading = "eager";
  });
}
