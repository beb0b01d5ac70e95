// The frames of a player are files. When it comes near the window, all of them are loaded, so that none is waited for.
(() => {
  const near = new IntersectionObserver((entries) => {
    for (const {target, isIntersecting} of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      for (const image of target.querySelectorAll("img[loading=lazy]")) image.loading = "eager";
    }
  }, {rootMargin: "600px"});
  document.addEventListener("DOMContentLoaded", () => {
    for (const player of document.querySelectorAll(".mlcore-frames")) near.observe(player);
  });
})();
