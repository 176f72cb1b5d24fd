(* The dense layer with one output, and flattening, over any commutative ring and for every size. *)
From mathcomp Require Import all_ssreflect all_algebra.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Dense.
Variables (R : comRingType) (N K : finType).  (* images, features *)
Implicit Types (features : N -> K -> R) (weights : K -> R) (upstream : N -> R).

Definition dense features weights n : R := \sum_k features n k * weights k.

(* upstream . weights^T, and features^T . upstream, summed over the images. *)
Definition features_gradient weights upstream n k : R := upstream n * weights k.
Definition weights_gradient features upstream k : R := \sum_n features n k * upstream n.

(* <dense, upstream> = <features, features' gradient> ... *)
Theorem features_gradient_is_upstream_times_weights features weights upstream :
  \sum_n dense features weights n * upstream n
  = \sum_n \sum_k features n k * features_gradient weights upstream n k.
Proof.
apply: eq_bigr => n _; rewrite mulr_suml; apply: eq_bigr => k _.
by rewrite /features_gradient -mulrA [weights k * _]mulrC.
Qed.

(* ... = <weights, weights' gradient>. *)
Theorem weights_gradient_is_features_times_upstream features weights upstream :
  \sum_n dense features weights n * upstream n
  = \sum_k weights k * weights_gradient features upstream k.
Proof.
rewrite features_gradient_is_upstream_times_weights exchange_big; apply: eq_bigr => k _.
by rewrite mulr_sumr; apply: eq_bigr => n _; rewrite [RHS]mulrCA [weights k * _]mulrC.
Qed.

End Dense.

(* Entry number m, in C order, of an array y with rows of length w; i counts the rows of all
   channels. *)
Definition flattened (R : Type) (w : nat) (y : nat -> nat -> R) (m : nat) : R :=
  y (m %/ w)%N (m %% w)%N.

(* Entry (i, j) is number i w + j. *)
Lemma flattened_at (R : Type) (w : nat) (y : nat -> nat -> R) i j :
  (j < w)%N -> flattened w y (i * w + j) = y i j.
Proof.
move=> jw; have w_gt0 := leq_ltn_trans (leq0n j) jw.
by rewrite /flattened divnMDl // modnMDl divn_small // modn_small // addn0.
Qed.

(* Flattening has its inverse for adjoint: entry (i, j) gets the upstream value number i w + j. *)
Theorem flattening_has_its_inverse_as_gradient (R : comRingType) (h w : nat)
    (y : nat -> nat -> R) (upstream : nat -> R) :
  \sum_(m < h * w) flattened w y m * upstream m
  = \sum_(i < h) \sum_(j < w) y i j * upstream (i * w + j)%N.
Proof.
elim: h => [|h IHh]; first by rewrite !big_ord0.
rewrite big_ord_recr -IHh mulSnr big_split_ord; congr (_ + _); apply: eq_bigr => j _.
by rewrite flattened_at.
Qed.

(* The vectors of the basis: 1 at i, 0 elsewhere. *)
Definition basis (R : comRingType) (I : finType) (i : I) : I -> R := fun j => (j == i)%:R.

(* A linear map is the sum of its values at the basis, times the entries. *)
Lemma linear_map_on_the_basis (R : comRingType) (I : finType) (f : (I -> R) -> R) :
  (forall x x', x =1 x' -> f x = f x') ->
  (forall c x x', f (fun i => c * x i + x' i) = c * f x + f x') ->
  forall x, f x = \sum_i x i * f (basis R i).
Proof.
move=> f_ext f_lin x.
rewrite (f_ext x (fun j => \sum_i x i * basis R i j)) => [|j].
  elim: (index_enum I) => [|i s IHs].
    rewrite big_nil -[RHS](addNr (f x)) -mulN1r -f_lin; apply: f_ext => j.
    by rewrite big_nil mulN1r addNr.
  by rewrite big_cons -IHs -f_lin; apply: f_ext => j; rewrite big_cons.
rewrite (bigD1 j) //= /basis eqxx mulr1 big1 ?addr0 // => i.
by rewrite eq_sym => /negPf->; rewrite mulr0.
Qed.

(* A bilinear map that is right on every pair of basis vectors is right. *)
Theorem bilinear_map_is_fixed_by_pairs_of_basis_vectors (R : comRingType) (I J : finType)
    (f g : (I -> R) -> (J -> R) -> R) :
  let bilinear (f : (I -> R) -> (J -> R) -> R) :=
    [/\ forall x x' y y', x =1 x' -> y =1 y' -> f x y = f x' y',
        forall c x x' y, f (fun i => c * x i + x' i) y = c * f x y + f x' y
      & forall c x y y', f x (fun j => c * y j + y' j) = c * f x y + f x y'] in
  bilinear f -> bilinear g -> (forall i j, f (basis R i) (basis R j) = g (basis R i) (basis R j)) ->
  forall x y, f x y = g x y.
Proof.
move=> bilinear f_bil g_bil fg x y.
have expand h : bilinear h -> h x y = \sum_i x i * \sum_j y j * h (basis R i) (basis R j).
  case=> h_ext h_left h_right.
  rewrite (linear_map_on_the_basis (f := h^~ y)); [|by move=> x1 x2 x12; apply: h_ext | by []].
  apply: eq_bigr => i _; congr (_ * _).
  by apply: (linear_map_on_the_basis (f := h (basis R i))) => // y1 y2; apply: h_ext.
rewrite !expand //; apply: eq_bigr => i _; congr (_ * _).
by apply: eq_bigr => j _; rewrite fg.
Qed.
